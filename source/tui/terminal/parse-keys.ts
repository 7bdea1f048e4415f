// Bytes of a terminal into keys. A chord is written `a`, `ctrl+l`, `alt+x`, `shift+tab`, `up`, `enter`, `f1`…

/** A key, a paste, or a mouse event. */
export type KeyEvent =
	| {kind: 'key'; chord: string /** What a text field takes from it. */; text?: string}
	| {kind: 'paste'; text: string}
	| {kind: 'mouse'; button: number; x: number; y: number; pressed: boolean};

/** A paste larger than this is cut: no field takes that much. */
const maxPaste = 64 * 1024;
/** An unfinished sequence longer than this is no sequence. */
const maxSequence = 256;

const finals: Record<string, string> = {
	A: 'up',
	B: 'down',
	C: 'right',
	D: 'left',
	E: 'clear',
	F: 'end',
	H: 'home',
	P: 'f1',
	Q: 'f2',
	R: 'f3',
	S: 'f4',
	M: 'enter',
};
const tildes: Record<number, string> = {
	1: 'home',
	2: 'insert',
	3: 'delete',
	4: 'end',
	5: 'pageup',
	6: 'pagedown',
	7: 'home',
	8: 'end',
	11: 'f1',
	12: 'f2',
	13: 'f3',
	14: 'f4',
	15: 'f5',
	17: 'f6',
	18: 'f7',
	19: 'f8',
	20: 'f9',
	21: 'f10',
	23: 'f11',
	24: 'f12',
};

/** xterm's modifier parameter as a prefix. */
function modifiers(parameter: number): string {
	const bits = Math.max(0, (parameter || 1) - 1);
	return `${bits & 4 ? 'ctrl+' : ''}${bits & 2 ? 'alt+' : ''}${bits & 1 ? 'shift+' : ''}`;
}

function control(code: number): KeyEvent {
	if (code === 13 || code === 10) return {kind: 'key', chord: 'enter'};
	if (code === 9) return {kind: 'key', chord: 'tab'};
	if (code === 127 || code === 8) return {kind: 'key', chord: 'backspace'};
	if (code === 27) return {kind: 'key', chord: 'escape'};
	if (code === 0) return {kind: 'key', chord: 'ctrl+space'};
	return {kind: 'key', chord: `ctrl+${code <= 26 ? String.fromCharCode(code + 96) : String.fromCharCode(code + 64)}`};
}

/** A whole CSI sequence, given without its `ESC [`. */
function csi(body: string): KeyEvent | undefined {
	const final = body.at(-1) ?? '';
	const inner = body.slice(0, -1);
	const mouse = /^<(\d+);(\d+);(\d+)$/.exec(inner);
	if (mouse && (final === 'M' || final === 'm')) {
		return {
			kind: 'mouse',
			button: Number(mouse[1]),
			x: Number(mouse[2]) - 1,
			y: Number(mouse[3]) - 1,
			pressed: final === 'M',
		};
	}
	// The Linux console's F1 to F5.
	if (inner === '[') return /[A-E]/.test(final) ? {kind: 'key', chord: `f${final.charCodeAt(0) - 64}`} : undefined;
	if (!/^[\d;]*$/.test(inner)) return undefined;
	const [first = 0, second = 0] = inner.split(';').map(Number);
	if (final === '~') {
		const name = tildes[first];
		return name ? {kind: 'key', chord: modifiers(second) + name} : undefined;
	}
	if (final === 'Z') return {kind: 'key', chord: 'shift+tab'};
	if (final === 'u') {
		const base =
			first === 32
				? {kind: 'key' as const, chord: 'space', text: ' '}
				: first < 32 || first === 127
					? control(first)
					: undefined;
		const chord = base?.kind === 'key' ? base.chord : String.fromCodePoint(Math.min(first, 0x10ffff));
		return {kind: 'key', chord: modifiers(second) + chord};
	}
	// With other numbers it is a report, such as the cursor's place.
	const name = first <= 1 ? finals[final] : undefined;
	return name ? {kind: 'key', chord: modifiers(second) + name} : undefined;
}

function textKey(character: string): KeyEvent {
	return {kind: 'key', chord: character === ' ' ? 'space' : character, text: character};
}

/** Text from outside as a field takes it: one line without control characters. */
export function pasteText(text: string): string {
	return text
		.replace(/\r\n?|\n|\t/g, ' ')
		.replace(/\p{Cc}/gu, '')
		.trim();
}

/** Splits what a terminal sends into events; what is not whole yet waits for the next bytes. */
export class KeyParser {
	#pending = '';

	/** Whether a sequence has begun that may also be a lone Esc. */
	get waiting(): boolean {
		return this.#pending !== '' && !this.#pending.startsWith('\u001b[200~');
	}

	/** Takes the next bytes, decoded. */
	push(chunk: string): KeyEvent[] {
		let input = this.#pending + chunk;
		this.#pending = '';
		const events: KeyEvent[] = [];
		while (input !== '') {
			const taken = this.#take(input, events);
			if (taken === 0) {
				this.#pending = input;
				break;
			}
			input = input.slice(taken);
		}
		return events;
	}

	/** What waited was no sequence: Esc, and what came after it. */
	flush(): KeyEvent[] {
		const rest = this.#pending;
		this.#pending = '';
		if (rest === '') return [];
		return [{kind: 'key', chord: 'escape'}, ...(rest.length > 1 ? this.push(rest.slice(1)) : [])];
	}

	/** Adds the first event of `input`; returns how much it took, 0 when more must come first. */
	#take(input: string, events: KeyEvent[]): number {
		const code = input.codePointAt(0) ?? 0;
		if (code !== 27) {
			const character = String.fromCodePoint(code);
			events.push(code < 32 || code === 127 ? control(code) : textKey(character));
			return character.length;
		}
		if (input.length === 1) return 0;
		const second = input[1] ?? '';
		if (second === '[') return this.#takeCsi(input, events);
		if (second === 'O') {
			if (input.length === 2) return 0;
			const name = finals[input[2] ?? ''];
			if (name) events.push({kind: 'key', chord: name});
			return 3;
		}
		if (second === ']' || second === 'P' || second === '_' || second === '^') {
			// An answer of the terminal that nobody asked for: up to its end it is no key.
			const end = /\u0007|\u001b\\/.exec(input.slice(2));
			if (end) return 2 + end.index + end[0].length;
			if (input.length < maxSequence) return 0;
		}
		if (second === '\u001b') {
			events.push({kind: 'key', chord: 'escape'});
			return 1;
		}
		const point = input.codePointAt(1) ?? 0;
		const inner = point < 32 || point === 127 ? control(point) : textKey(String.fromCodePoint(point));
		if (inner.kind === 'key') events.push({kind: 'key', chord: `alt+${inner.chord}`});
		return 1 + String.fromCodePoint(point).length;
	}

	#takeCsi(input: string, events: KeyEvent[]): number {
		if (input.startsWith('\u001b[200~')) {
			const end = input.indexOf('\u001b[201~', 6);
			if (end === -1 && input.length < maxPaste) return 0;
			events.push({kind: 'paste', text: input.slice(6, end === -1 ? undefined : end)});
			return end === -1 ? input.length : end + 6;
		}
		const whole = /^\u001b\[(\[?[0-?]*[ -/]*[@-~])/.exec(input);
		if (!whole) {
			// Not whole yet, or broken: a broken one is dropped with its two first characters.
			if (/^\u001b\[\[?[0-?]*[ -/]*$/.test(input) && input.length < maxSequence) return 0;
			return 2;
		}
		const event = csi(whole[1] ?? '');
		if (event) events.push(event);
		return whole[0].length;
	}
}
