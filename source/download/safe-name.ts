import filenamify from 'filenamify';

const maxBytes = 255;
/** Kept free for ` (9999)`, so that a numbered name still fits. */
const numberRoom = 7;
const maxExtensionBytes = 20;

/**
 * The file name for something that the network calls `name`: one component, without control, format and bidi
 * characters, reserved on no system we run on (Windows device names, `<>:"/\|?*`, dots and spaces at the end), in NFC,
 * and short enough in UTF-8 bytes that ` (2)` still fits.
 *
 * @param prefix put before it; comes from the person, and is made safe all the same
 */
export function safeFileName(name: string, prefix = ''): string {
	const base =
		name
			.toWellFormed()
			.split(/[/\\]/)
			.findLast(part => part !== '') ?? '';
	const clean = filenamify(prefix.toWellFormed() + (base || 'file'), {replacement: '_', maxLength: 4096});
	return shorten(clean);
}

/** `name` with ` (n)` before its extension. */
export function numberedName(name: string, n: number): string {
	const {stem, extension} = split(name);
	return `${stem} (${n})${extension}`;
}

function split(name: string): {stem: string; extension: string} {
	const dot = name.lastIndexOf('.');
	const fits = dot > 0 && Buffer.byteLength(name.slice(dot)) <= maxExtensionBytes;
	return fits ? {stem: name.slice(0, dot), extension: name.slice(dot)} : {stem: name, extension: ''};
}

function shorten(name: string): string {
	if (Buffer.byteLength(name) <= maxBytes - numberRoom) return name;
	const {stem, extension} = split(name);
	let left = maxBytes - numberRoom - Buffer.byteLength(extension);
	let kept = '';
	for (const {segment} of new Intl.Segmenter().segment(stem)) {
		left -= Buffer.byteLength(segment);
		if (left < 0) break;
		kept += segment;
	}
	return `${kept.replace(/[. ]+$/, '') || '_'}${extension}`;
}
