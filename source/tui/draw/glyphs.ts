// The signs that the screens draw with, in Unicode and in ASCII. Each keeps its meaning in both.

/** Corners, sides and joints of a pane's border. */
export type Border = {
	topLeft: string;
	topRight: string;
	bottomLeft: string;
	bottomRight: string;
	across: string;
	down: string;
	joinLeft: string;
	joinRight: string;
};

export type Glyphs = {
	ascii: boolean;
	light: Border;
	heavy: Border;
	rule: string;
	pointer: string;
	ellipsis: string;
	on: string;
	off: string;
	marked: string;
	unmarked: string;
	down: string;
	up: string;
	check: string;
	cross: string;
	paused: string;
	queued: string;
	verifying: string;
	bullet: string;
	warn: string;
	sort: string;
	into: string;
	less: string;
	thumb: string;
	thumbLight: string;
	enter: string;
	upDown: string;
	leftRight: string;
	folder: string;
	barFull: string;
	barHalf: string;
	barEmpty: string;
	/** Eight or so heights, lowest first. */
	spark: readonly string[];
	/** Whether graphs can use braille. */
	braille: boolean;
};

const unicode: Glyphs = {
	ascii: false,
	light: border('╭╮╰╯─│├┤'),
	heavy: border('┏┓┗┛━┃┠┨'),
	rule: '─',
	pointer: '▸',
	ellipsis: '…',
	on: '●',
	off: '○',
	marked: '◉',
	unmarked: '○',
	down: '↓',
	up: '↑',
	check: '✓',
	cross: '✗',
	paused: '‖',
	queued: '◌',
	verifying: '#',
	bullet: '•',
	warn: '▲',
	sort: '▾',
	into: '›',
	less: '‹',
	thumb: '▐',
	thumbLight: '▐',
	enter: '⏎',
	upDown: '↑↓',
	leftRight: '←→',
	folder: '/',
	barFull: '━',
	barHalf: '╸',
	barEmpty: '─',
	spark: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
	braille: true,
};

const ascii: Glyphs = {
	ascii: true,
	light: border('++++-|++'),
	heavy: border('####=###'),
	rule: '-',
	pointer: '>',
	ellipsis: '~',
	on: '*',
	off: 'o',
	marked: '[x]',
	unmarked: '[ ]',
	down: 'v',
	up: '^',
	check: '+',
	cross: 'x',
	paused: '=',
	queued: '.',
	verifying: '%',
	bullet: '-',
	warn: '!',
	sort: 'v',
	into: '>',
	less: '<',
	thumb: '@',
	thumbLight: '@',
	enter: 'Enter',
	upDown: 'Up/Dn',
	leftRight: '<->',
	folder: '/',
	barFull: '#',
	barHalf: '#',
	barEmpty: '.',
	spark: ['_', '.', ':', '-', '=', '+', '*', '#'],
	braille: false,
};

function border(signs: string): Border {
	const [topLeft, topRight, bottomLeft, bottomRight, across, down, joinLeft, joinRight] = [...signs] as [
		string,
		string,
		string,
		string,
		string,
		string,
		string,
		string,
	];
	return {topLeft, topRight, bottomLeft, bottomRight, across, down, joinLeft, joinRight};
}

/** The signs for a terminal that shows Unicode, or not. */
export function glyphsFor(isAscii: boolean): Glyphs {
	return isAscii ? ascii : unicode;
}
