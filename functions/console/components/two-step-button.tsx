// A button for what cannot be undone.
import { useState } from 'preact/hooks';
import { Button } from './basics.tsx';
import type { IconName } from './icon.tsx';

/** What cannot be undone: the second press does it, and says what; leaving or Esc takes the first one back. */
export function TwoStepButton({
  label,
  sureLabel,
  icon = 'trash',
  onSure,
}: {
  readonly label: string;
  readonly sureLabel: string;
  readonly icon?: IconName;
  readonly onSure: () => void;
}) {
  const [isArmed, setArmed] = useState(false);
  return (
    <Button
      look={`danger ${isArmed ? 'armed' : ''}`}
      icon={icon}
      onBlur={() => setArmed(false)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !isArmed) return;
        event.stopPropagation();
        setArmed(false);
      }}
      onClick={() => {
        setArmed(!isArmed);
        if (isArmed) onSure();
      }}
    >
      {isArmed ? sureLabel : label}
    </Button>
  );
}
