import prettyBytes from 'pretty-bytes';

/** Bytes for people, such as `5.8 GB`. */
export function formatBytes(bytes: number): string {
	return prettyBytes(bytes);
}

const units = ['B', 'K', 'M', 'G', 'T', 'P'];

/** Bytes in at most four characters for a column, in powers of 1000 as all our sizes: `412M`, `6.2G`, `0B`. */
export function shortBytes(bytes: number): string {
	let value = Math.max(0, Math.round(bytes) || 0);
	let unit = 0;
	while (value >= 999.5 && unit < units.length - 1) {
		value /= 1000;
		unit++;
	}
	return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)}${units[unit]}`;
}

/** A length of time in at most five characters: `8s`, `1m16`, `2h05`, `3d`. Seconds in; `—` when not known. */
export function shortDuration(seconds: number): string {
	if (!Number.isFinite(seconds) || seconds < 0) return '—';
	const whole = Math.round(seconds);
	if (whole < 60) return `${whole}s`;
	if (whole < 3600) return `${Math.floor(whole / 60)}m${String(whole % 60).padStart(2, '0')}`;
	if (whole < 86_400) return `${Math.floor(whole / 3600)}h${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')}`;
	return `${Math.floor(whole / 86_400)}d`;
}

/** The short form of a peer ID or content ID: its first 8 characters. */
export function shortId(id: string): string {
	return id.slice(0, 8);
}
