// Random tests begin with the same seed each time, so that what passed here passes elsewhere; TEST_SEED tries another.
import fc from 'fast-check';

fc.configureGlobal({seed: Number(process.env.TEST_SEED ?? 20_261_123)});
