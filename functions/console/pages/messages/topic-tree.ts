// The topics as a tree: levels that have one child only are joined, and each node counts what is below it.
import type { Topic } from '../../client/operations.ts';

export interface TreeNode {
  /** One level or several, such as `kitchen/temperature`. */
  readonly name: string;
  /** The topic that ends here, or begins all below. */
  readonly path: string;
  /** Whether messages have been stored of `path` itself. */
  readonly isTopic: boolean;
  /** Topics here and below. */
  readonly topics: number;
  readonly messages: number;
  readonly children: readonly TreeNode[];
}

interface Growing {
  readonly path: string;
  topic?: Topic;
  readonly children: Map<string, Growing>;
}

/** The roots of the tree, by name. */
export function topicTree(topics: readonly Topic[]): TreeNode[] {
  const root: Growing = { path: '', children: new Map() };
  for (const topic of topics) {
    let node = root;
    for (const [index, level] of topic.topic.split('/').entries()) {
      const path = index === 0 ? level : `${node.path}/${level}`;
      const child = node.children.get(level) ?? { path, children: new Map() };
      node.children.set(level, child);
      node = child;
    }
    node.topic = topic;
  }
  return childrenOf(root);
}

function childrenOf(node: Growing): TreeNode[] {
  return [...node.children]
    .map(([level, child]) => joined(level, child))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function joined(name: string, node: Growing): TreeNode {
  const [only] = node.children;
  if (only !== undefined && node.children.size === 1 && node.topic === undefined)
    return joined(`${name}/${only[0]}`, only[1]);
  const children = childrenOf(node);
  const own = node.topic === undefined ? 0 : 1;
  return {
    name,
    path: node.path,
    isTopic: node.topic !== undefined,
    topics: own + children.reduce((sum, child) => sum + child.topics, 0),
    messages:
      (node.topic?.messages ?? 0) + children.reduce((sum, child) => sum + child.messages, 0),
    children,
  };
}

/** What of the tree has `text` in its path, with all that is below and above it. */
export function narrowed(nodes: readonly TreeNode[], text: string): readonly TreeNode[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return nodes;
  return nodes.flatMap((node) => {
    if (node.path.toLowerCase().includes(wanted)) return [node];
    const children = narrowed(node.children, wanted);
    return children.length === 0 ? [] : [{ ...node, children }];
  });
}

/** The filter of a node: its topic, or all below it. */
export const filterOf = ({ path, isTopic, children }: TreeNode): string =>
  isTopic && children.length === 0 ? path : `${path}/#`;
