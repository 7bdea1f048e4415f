import {MemoryStore} from '../../source/index/memory/memory-store.ts';
import {indexStoreConformance} from '../conformance/index-store.ts';

indexStoreConformance('memory', async () => {
	const store = new MemoryStore();
	await store.open();
	return {store, remove: () => store.close()};
});
