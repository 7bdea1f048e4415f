import v8 from 'node:v8';

/**
 * Keeps the part of the heap for new objects at the megabyte or two that it has when this is called, in all threads of
 * the process: V8 lets it grow to dozens. What a transfer makes lives for a millisecond and is cleared away as cheaply
 * in a small one. Before large modules are loaded it saves most, as they alone make it grow to 8 MB; but V8 takes code
 * compiled under other flags for foreign, so that from then on each module of Node's own is compiled anew in each thread,
 * at 30 ms of CPU a thread: what is to start quickly calls this when its threads are up.
 */
export function keepNurserySmall(): void {
	v8.setFlagsFromString('--semi-space-growth-factor=1');
}

/**
 * Has every thread of the process clear away new objects in the next pause between two tasks once they fill an eighth of
 * their part of the heap, where V8 waits until they fill four fifths: what answers many calls then stands still for a
 * millisecond or two, often, and not for ten. Buffers that lie outside the heap go with it; V8 counts them as well, and where
 * thousands of them waited it cleared the whole heap away for them. Each thread does so by itself: for so little, helpers cost
 * more than they save. Two settings that V8 looks at anew each time.
 */
export function clearOften(): void {
	v8.setFlagsFromString('--minor-gc-task-trigger=12');
	v8.setFlagsFromString('--no-parallel-scavenge');
}
