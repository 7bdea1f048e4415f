import {describe, expect, test} from 'vitest';
import type {TransferRow} from '../../source/engine/messages.ts';
import {fixturePeer} from '../helpers/tui-fixture-engine.ts';
import {storeWith} from '../helpers/tui-render.ts';

const noticeAfter = (edit: (rows: TransferRow[]) => void) => {
	const engine = fixturePeer();
	const store = storeWith(120, 36, structuredClone(engine.snapshot()));
	engine.change(rows => {
		for (const [index, row] of rows.entries()) rows[index] = {...row};
		edit(rows);
	});
	store.dispatch({type: 'snapshot', snapshot: engine.snapshot()});
	return store.get().toast;
};
const row = (rows: TransferRow[], name: string) =>
	rows.find(candidate => candidate.name.startsWith(name)) as TransferRow;

describe('what is told wherever one looks', () => {
	test('a download that finished, with its place', () => {
		const toast = noticeAfter(rows =>
			Object.assign(row(rows, 'debian'), {state: 'done', path: '/srv/downloads/downloaded_debian.iso'}),
		);
		expect(toast).toMatchObject({
			kind: 'ok',
			text: 'debian-12.9.0-amd64-DVD-1.iso is verified and on disk: /srv/downloads/downloaded_debian.iso',
		});
	});
	test('a download that failed, with its reason', () => {
		const toast = noticeAfter(rows =>
			Object.assign(row(rows, 'debian'), {state: 'failed', message: 'no source is left'}),
		);
		expect(toast).toMatchObject({kind: 'error', text: 'debian-12.9.0-amd64-DVD-1.iso: no source is left'});
	});
	test('not an upload, not what was over before, not what only came into view', () => {
		expect(noticeAfter(rows => Object.assign(row(rows, 'wikipedia'), {state: 'done'}))).toBeUndefined();
		expect(noticeAfter(rows => Object.assign(row(rows, 'arch'), {speed: 1}))).toBeUndefined();
		expect(noticeAfter(rows => rows.unshift({...row(rows, 'arch'), key: 'other'}))).toBeUndefined();
	});
	test('a server that is lost, and that is back', () => {
		const snapshot = fixturePeer().snapshot();
		const store = storeWith(120, 36, snapshot);
		const link = snapshot.servers[0];
		if (!link) throw new Error('the fixture has no server');
		store.dispatch({type: 'snapshot', snapshot: {...snapshot, servers: [{...link, state: 'lost'}]}});
		expect(store.get().toast?.text).toBe('10.0.0.5:45000 is lost, trying again; transfers go on');
		store.dispatch({type: 'snapshot', snapshot});
		expect(store.get().toast?.text).toBe('10.0.0.5:45000 is back');
	});
});
