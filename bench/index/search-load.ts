// A steady stream of searches from a process of its own: beside an upload, what sends it would else be in the way of the clock.
import {type ChildProcess, fork} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import {steady} from './load.ts';

type Order = {port: number; queries: string[]; perSecond: number} | 'stop';
type Stop = Awaited<ReturnType<typeof steady>>;

/** The same as `steady` of load.ts, elsewhere. */
export async function steadyApart(port: number, queries: string[], perSecond: number): Promise<Stop> {
	const child = fork(fileURLToPath(import.meta.url), ['run']);
	await tell(child, {port, queries, perSecond});
	return () => tell(child, 'stop') as ReturnType<Stop>;
}

async function tell(child: ChildProcess, order: Order): Promise<unknown> {
	const answered = once(child, 'message');
	const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the searches ended with ${code}`)));
	ended.catch(() => undefined);
	child.send(order);
	const [answer] = (await Promise.race([answered, ended])) as [unknown];
	return answer;
}

if (process.argv[2] === 'run' && process.argv[1] === fileURLToPath(import.meta.url)) {
	let stop: Stop | undefined;
	process.on('message', async (order: Order) => {
		if (order === 'stop') {
			process.send?.(await stop?.(), () => process.disconnect());
			return;
		}
		stop = await steady(order.port, order.queries, order.perSecond);
		process.send?.('started');
	});
}
