import {MemoryStore} from '../../source/index/memory/memory-store.ts';
import {indexStoreConformance} from '../conformance/index-store.ts';

indexStoreConformance('memory', async options => {
	const store = new MemoryStore(options);
	await store.open();
	return {store, remove: () => store.close()};
});
