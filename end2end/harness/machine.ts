// The operator's machine, which can be put to sleep: its browsers are stopped, and know nothing of what passes meanwhile.
import { readFileSync, readdirSync } from 'node:fs';

/** Those that this test runner has started. */
export class Machine {
  #asleep: number[] = [];

  sleep(): void {
    this.#asleep = browsers();
    for (const pid of this.#asleep) signal(pid, 'SIGSTOP');
  }

  wake(): void {
    for (const pid of this.#asleep) signal(pid, 'SIGCONT');
    this.#asleep = [];
  }
}

/** One that was about to end, such as an earlier page's, may be gone: the others sleep and wake all the same. */
function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Every process of a Chromium, whatever started it for us. */
function browsers(): number[] {
  const running = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap(about);
  const ours = (pid: number): boolean =>
    pid === process.pid || running.some((one) => one.pid === pid && one.parent !== 0 && ours(one.parent));
  return running.filter(({ pid, name }) => /chrom/.test(name) && ours(pid)).map(({ pid }) => pid);
}

/** See proc_pid_stat(5). One that has just ended is none. */
function about(pid: string): { pid: number; name: string; parent: number }[] {
  try {
    const [, name = '', parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').match(/^\d+ \((.*)\) \S (\d+)/s) ?? [];
    return [{ pid: Number(pid), name, parent: Number(parent) }];
  } catch {
    return [];
  }
}
