// The topics at the left: pressed, a node filters the page; a mark shows which topic just spoke.
import { useMemo, useState } from 'preact/hooks';
import { Empty } from '../../components/basics.tsx';
import { count, short } from '../../components/format.ts';
import { Gate } from '../../components/gate.tsx';
import { Icon } from '../../components/icon.tsx';
import { topics } from '../../state/shared.ts';
import { useStore } from '../../state/store.ts';
import { filterOf, narrowed, type TreeNode, topicTree } from './topic-tree.ts';

interface TreeProps {
  readonly filter: string;
  readonly onChoose: (filter: string) => void;
  /** Topics that have just spoken. */
  readonly speaking: ReadonlySet<string>;
}

/** Nodes of a level that are drawn before somebody asks for all. */
const maxDrawn = 200;

export function TopicTree(props: TreeProps) {
  const shown = useStore(topics);
  const [text, setText] = useState('');
  const list = shown.value?.topics;
  const tree = useMemo(() => topicTree(list ?? []), [list]);
  const nodes = narrowed(tree, text);
  return (
    <section class="card tree" aria-label="Topics">
      <header>
        <h2>Topics</h2>
        <span class="dim small end">
          {list !== undefined && count(list.length)}
          {shown.value?.nextCursor !== undefined && ', the first by name'}
        </span>
      </header>
      <div class="tree-search">
        <input
          class="input"
          aria-label="Narrow the tree"
          placeholder="Narrow the tree"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </div>
      <div class="tree-nodes">
        <Gate shown={shown}>
          {({ topics: found }) =>
            found.length === 0 ? (
              <Empty icon="messages" title="No topics yet" />
            ) : (
              <ul>
                <li>
                  <button
                    type="button"
                    class="tree-node"
                    aria-current={props.filter === '#'}
                    onClick={() => props.onChoose('#')}
                  >
                    <span class="tree-fold" />
                    All topics
                  </button>
                </li>
                <Nodes nodes={nodes} isOpen={text !== ''} depth={0} {...props} />
              </ul>
            )
          }
        </Gate>
      </div>
    </section>
  );
}

function Nodes({
  nodes,
  ...props
}: TreeProps & {
  readonly nodes: readonly TreeNode[];
  readonly isOpen: boolean;
  readonly depth: number;
}) {
  const [isWhole, setWhole] = useState(false);
  const drawn = isWhole ? nodes : nodes.slice(0, maxDrawn);
  return (
    <>
      {drawn.map((node) => (
        <Node key={node.path} node={node} {...props} />
      ))}
      {drawn.length < nodes.length && (
        <li>
          <button type="button" class="tree-node" onClick={() => setWhole(true)}>
            Show all {count(nodes.length)}
          </button>
        </li>
      )}
    </>
  );
}

/** Below this depth nodes start folded, and so do large ones. */
const openDepth = 1;
const openChildren = 20;

function Node({
  node,
  isOpen,
  depth,
  ...props
}: TreeProps & { readonly node: TreeNode; readonly isOpen: boolean; readonly depth: number }) {
  const [chosen, setChosen] = useState<boolean>();
  const isUnfolded =
    chosen ?? (isOpen || (depth < openDepth && node.children.length <= openChildren));
  const filter = filterOf(node);
  const isSpeaking =
    props.speaking.has(node.path) ||
    (!isUnfolded && [...props.speaking].some((topic) => topic.startsWith(`${node.path}/`)));
  return (
    <li>
      <div class="row no-gap-row" style={{ paddingLeft: `${depth * 1.143}rem` }}>
        {node.children.length > 0 ? (
          <button
            type="button"
            class="tree-fold"
            aria-expanded={isUnfolded}
            aria-label={`Topics below ${node.path}`}
            onClick={() => setChosen(!isUnfolded)}
          >
            <Icon name="right" />
          </button>
        ) : (
          <span class="tree-fold" />
        )}
        <button
          type="button"
          class="tree-node"
          title={node.path}
          aria-current={filter === props.filter}
          onClick={() => props.onChoose(filter)}
        >
          <span class="truncated">{node.name}</span>
          <span class={`tree-beat ${isSpeaking ? 'speaks' : ''}`} />
          <span class="tree-count">
            {node.topics > 1 && `${short(node.topics)} · `}
            {short(node.messages)}
          </span>
        </button>
      </div>
      {isUnfolded && node.children.length > 0 && (
        <ul>
          <Nodes nodes={node.children} isOpen={isOpen} depth={depth + 1} {...props} />
        </ul>
      )}
    </li>
  );
}
