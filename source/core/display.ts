// The one sanitiser at the display boundary: what came from the network or a disk passes here before a person's
// terminal, a log line or a picture sees it.

/** C0 and C1 controls, delete, line and paragraph separators, bidi overrides and isolates, zero-width and tag characters. */
const unsafe =
	/[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** Lone surrogates cannot be encoded as UTF-8. */
const lone = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** `text` in one line that cannot move the cursor, colour, reorder or hide anything: each such character becomes `�`. */
export function displayText(text: string): string {
	return text.replace(lone, '\ufffd').replace(unsafe, '\ufffd');
}

/** A value as JSON in one line that is as safe on a terminal: what `displayText` replaces is escaped, and read the same. */
export function displayJson(value: unknown): string {
	return escapeJson(JSON.stringify(value));
}

/** The same for what is one line of JSON already. */
export function escapeJson(json: string): string {
	return json.replace(unsafe, escaped);
}

function escaped(text: string): string {
	let codes = '';
	for (let i = 0; i < text.length; i++) codes += `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`;
	return codes;
}
