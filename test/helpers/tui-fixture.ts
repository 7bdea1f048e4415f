// A program that draws the screens over scripted engines. `FIXTURE` is JSON: {start, state, tick, throwAfter…}.
import {P2pError} from '../../source/core/errors.ts';
import type {FoundServer} from '../../source/store/menu.ts';
import type {Settings} from '../../source/store/settings.ts';
import {runTui} from '../../source/tui/run-tui.tsx';
import {type FixtureOptions, fixturePeer, fixtureServer} from './tui-fixture-engine.ts';

type Script = FixtureOptions & {
	start?: 'menu' | 'peer' | 'server';
	/** Milliseconds after which the program breaks, and how. */
	breakAfter?: number;
	breakAs?: 'throw' | 'reject';
	theme?: 'dark' | 'light';
	ascii?: boolean;
	/** Index servers of the local network. */
	found?: FoundServer[];
	/** What was set on the screen before. */
	preferences?: Partial<Settings>;
};

const script = JSON.parse(process.env.FIXTURE ?? '{}') as Script;
const {start = 'menu'} = script;
const breakNow = () => {
	if (script.breakAs === 'reject') void Promise.reject(new Error('a promise broke'));
	else throw new Error('a timer broke');
};
if (script.breakAfter) setTimeout(breakNow, script.breakAfter);
const make = (mode: 'peer' | 'server') => (mode === 'peer' ? fixturePeer(script) : fixtureServer(script));

const {exitCode} = await runTui({
	start: start === 'menu' ? {kind: 'menu'} : {kind: 'engine', mode: start, handle: make(start)},
	async launch(request) {
		if (request.mode !== 'demo' && request.port === 1)
			throw new P2pError('port-taken', 'Port 1 is taken', {hint: 'Choose another'});
		if (request.mode === 'peer' && request.share?.includes('missing'))
			throw new P2pError('not-found', `No such folder: ${request.share}`);
		if (request.mode === 'peer' && request.server.endsWith(':1'))
			throw new P2pError('unreachable', `Nobody answers at ${request.server}`);
		return make(request.mode === 'server' ? 'server' : 'peer');
	},
	watchServers(onChange) {
		onChange(script.found ?? []);
		return () => {};
	},
	preferences: () => script.preferences ?? {},
	settings: {...(script.theme && {theme: script.theme}), ...(script.ascii !== undefined && {ascii: script.ascii})},
	defaults: {serverPort: 45_000, peerPort: 25_000, name: 'workbench', share: '/srv/testing_files'},
});
process.stdout.write(`exit ${exitCode}\n`);
process.exit(exitCode);
