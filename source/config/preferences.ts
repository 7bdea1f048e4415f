// What a person sets on the screen and expects to find again at the next start. Part of `config.json`.
import * as z from 'zod';

/** Bytes per second; null: no limit. */
const rate = z.int().positive().nullable();

/** The settings in `config.json` that the screens can change, besides `name`. */
export const preferenceShape = {
	theme: z.enum(['auto', 'dark', 'light']),
	/** Limits of the transfers, in bytes per second. */
	limitDown: rate,
	limitUp: rate,
	/** Peers that are sent to at once. */
	slots: z.int().min(1).max(500),
	/** Downloads that run at once. */
	running: z.int().min(1).max(100),
	mouse: z.boolean(),
	/** What a finished or failed download does: ring the bell, show its progress in the window's title, notify. */
	bell: z.boolean(),
	title: z.boolean(),
	notify: z.boolean(),
};

/** What of it was set. */
export type Preferences = Partial<{[K in keyof typeof preferenceShape]: z.infer<(typeof preferenceShape)[K]>}>;

/** What stands where nothing was set. */
export const defaultPreferences: Required<Preferences> = {
	theme: 'auto',
	limitDown: null,
	limitUp: null,
	slots: 8,
	running: 4,
	mouse: true,
	bell: true,
	title: true,
	notify: true,
};
