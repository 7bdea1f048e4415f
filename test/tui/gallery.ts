// Writes every screen in every look and size as text with its escape codes, to be looked at, or made pictures of:
// npm run gallery -- FOLDER [NAME…]
import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import type {Look} from '../../source/tui/theme.ts';
import {fixedTime} from '../helpers/tui-fixture-data.ts';
import {drawn} from '../helpers/tui-render.ts';
import {screens} from '../helpers/tui-screens.ts';

const looks: Record<string, Look> = {
	dark: {theme: 'dark', noColor: false},
	light: {theme: 'light', noColor: false},
	mono: {noColor: true},
	ascii: {theme: 'dark', noColor: false, ascii: true, letters: 'ascii'},
};
const sizes = [
	[40, 12],
	[80, 24],
	[120, 36],
	[200, 60],
] as const;

const [folder = 'gallery', ...names] = process.argv.slice(2);
process.env.TZ = 'UTC';
Date.now = () => fixedTime;
mkdirSync(folder, {recursive: true});
for (const [columns, rows] of sizes) {
	for (const [look, options] of Object.entries(looks)) {
		for (const [name, make] of Object.entries(screens)) {
			if (names.length > 0 && !names.includes(name)) continue;
			const file = path.join(folder, `${name}-${columns}x${rows}-${look}.ans`);
			writeFileSync(file, `${drawn(make(columns, rows), options).join('\n')}\n`);
		}
	}
}
