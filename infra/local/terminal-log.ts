// The log of `npm start`: for people, on standard error, a line each, beside what is printed for them.
import { type LevelWithSilent, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

/**
 * Leaves out what names its `condition`: conditions are printed with their cure, and when they are over, and nobody needs
 * to read them twice.
 */
export function terminalLog(
  level: LevelWithSilent,
  destination: 2 | NodeJS.WritableStream = 2,
): Logger {
  return pino(
    {
      level,
      hooks: {
        logMethod(line, log) {
          const [fields] = line as unknown[];
          const isTold = typeof fields === 'object' && fields !== null && 'condition' in fields;
          if (!isTold) log.apply(this, line);
        },
      },
    },
    pretty({
      destination,
      sync: true,
      singleLine: true,
      ignore: 'pid,hostname',
      translateTime: 'SYS:HH:MM:ss',
      customPrettifiers: { time: (time) => `${time} ` },
    }),
  );
}
