// What the program switches at the terminal besides Ink: no automatic wrap, marked pastes, the mouse. All of it is
// given back.

/** The part of `process.stdout` that is used. */
export type ScreenStream = NodeJS.WritableStream & {
	isTTY?: boolean;
	columns?: number;
	rows?: number;
	destroyed?: boolean;
};

/** One row that is too wide would wrap and shift the whole screen for good: wrap is off while the screen is ours. */
const enter = '\u001b[?7l\u001b[?2004h';
/** Presses, releases and the wheel (1000), in decimal numbers (1006). With Shift terminals still select text. */
const mouseOn = '\u001b[?1000h\u001b[?1006h';
const mouseOff = '\u001b[?1006l\u001b[?1000l';
const leave = `${mouseOff}\u001b[?2004l\u001b[?7h`;
/** Primary screen, cursor, colours: what Ink gives back itself, said again for the ways out that do not pass it. */
const leaveAll = `${leave}\u001b[?1049l\u001b[?25h\u001b[0m`;

/** The modes of one terminal. */
export class TerminalModes {
	readonly #stream: ScreenStream;
	#entered = false;
	#mouse = false;

	constructor(stream: ScreenStream) {
		this.#stream = stream;
	}

	/** Switches to ours. */
	enter(): void {
		if (this.#entered) return;
		this.#entered = true;
		this.#write(this.#mouse ? enter + mouseOn : enter);
	}

	/** Whether the terminal reports the mouse; remembered while the terminal is not ours. */
	setMouse(isOn: boolean): void {
		if (this.#mouse === isOn) return;
		this.#mouse = isOn;
		if (this.#entered) this.#write(isOn ? mouseOn : mouseOff);
	}

	/** Gives the terminal back while Ink has restored the rest. */
	leave(): void {
		if (!this.#entered) return;
		this.#entered = false;
		this.#write(leave);
	}

	/** Gives everything back, whatever Ink still could do. */
	leaveAll(): void {
		if (!this.#entered) return;
		this.#entered = false;
		this.#write(leaveAll);
	}

	#write(text: string): void {
		try {
			if (!this.#stream.destroyed) this.#stream.write(text);
		} catch {
			// The terminal is gone; there is nothing to give back.
		}
	}
}
