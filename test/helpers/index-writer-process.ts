// A process that registers without end, to be killed. Argument: the index's file. Sends a message after the first batches.
import {SqliteStore} from '../../source/index/sqlite/sqlite-store.ts';
import {add} from './index.ts';

const store = new SqliteStore(process.argv[2] ?? '');
await store.open();
const id = 'ab'.repeat(32);
await store.register({id, name: 'x', host: 'h', port: 1});

async function* endless() {
	for (let round = 0; ; round++) {
		yield Array.from({length: 1000}, (_, i) => add(`s/file ${round}-${i}.txt`));
		if (round === 25) process.send?.('written');
	}
}

await store.applyChanges(id, {epoch: 'ff'.repeat(16), from: 0, to: 1e9}, endless());
