/** When a tracker does what, in milliseconds. Tests make some of them shorter. */
export type TrackerTimes = {
	/** A file is hashed when nothing was written to it for this long. */
	quiet: number;
	/** A file that is written to for longer than this is taken out of the catalog until it is quiet. */
	patience: number;
	/** What the watcher tells is gathered for this long. */
	gather: number;
	/** How often it is looked whether the share's folder is there. */
	rootCheck: number;
	/** After this long a share whose catalog failed is tried again. */
	retry: number;
	/** How often everything is looked at again where the system watches, in case it missed something. */
	rescanWatched: number;
	/** The same where the system watches no more folders. */
	rescanUnwatched: number;
};

/** Together they make a change public within two seconds. */
export const trackerTimes: TrackerTimes = {
	quiet: 500,
	patience: 2500,
	gather: 100,
	rootCheck: 1000,
	retry: 30_000,
	rescanWatched: 60 * 60 * 1000,
	rescanUnwatched: 60 * 1000,
};
