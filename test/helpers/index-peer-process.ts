// A process that registers and stays, to be killed. Arguments: HOST:PORT and its nickname. Sends a message when online.
import {add, makePeer, until} from './index.ts';

const peer = await makePeer(process.argv[2] ?? '', {
	name: process.argv[3],
	files: [add(`s/of ${process.argv[3]}.txt`)],
});
peer.index.start();
await until('online', () => peer.index.link().state === 'online');
process.send?.('online');
