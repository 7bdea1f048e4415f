// The prompts behind the start menu: their fields, and what is wrong with what was typed.
import {formatAddress, parseAddress, parseHost, parsePort} from '../core/address.ts';
import {P2pError} from '../core/errors.ts';
import {looksLikeInvite, parseInvite} from '../core/invite-link.ts';
import type {FoundServer} from './menu.ts';

export type FormKind = 'server' | 'peer';

/** One line of a prompt. */
export type Field = {
	id: FieldId;
	label: string;
	value: string;
	/** Beside an empty field: what stands when nothing is typed. */
	empty: string;
	/** What a person may type here. */
	help: string;
	/** What is wrong with the value. */
	error?: string;
};

export type FieldId = 'host' | 'port' | 'server' | 'serverPort' | 'share' | 'name';

export type FormState = {
	kind: FormKind;
	title: string;
	fields: readonly Field[];
	index: number;
	busy: boolean;
	/** What went wrong that belongs to no field. */
	error?: string;
	/** Index servers of this network, to be taken instead of typing. */
	found: readonly FoundServer[];
	/** Nobody said which server it is to be: one that was found stands in the empty field. */
	isOpen: boolean;
	/** The usual port of an index server. */
	serverPort: number;
};

/** What the prompts are filled with. */
export type LaunchDefaults = {
	serverPort: number;
	peerPort: number;
	/** Where the peer's server is looked for, as HOST, HOST:PORT or an invite link. */
	server?: string;
	share?: string;
	name?: string;
};

/** What the start menu asks for. A port or host that was left at its default is undefined: it may move when taken. */
export type LaunchRequest =
	| {mode: 'server'; host?: string; port?: number}
	| {mode: 'peer'; server: string; port?: number; share?: string; name?: string}
	| {mode: 'demo'};

/** A form as it opens. A default stands where nothing is typed, so that typing replaces it. */
export function openForm(kind: FormKind, defaults: LaunchDefaults): FormState {
	const base = {
		...{kind, index: 0, busy: false, found: []},
		isOpen: kind === 'peer' && defaults.server === undefined,
		serverPort: defaults.serverPort,
	};
	const field = (id: FieldId, label: string, empty: string, help: string, value = ''): Field => ({
		id,
		label,
		value,
		empty,
		help,
	});
	if (kind === 'server') {
		const address = 'An address of this machine; 0 is localhost; empty: everyone in the network can connect';
		return {
			...base,
			title: 'Run server',
			fields: [
				field('host', 'Address', 'all interfaces', address),
				field('port', 'Port', String(defaults.serverPort), 'Where peers connect; 0 lets the system choose'),
			],
		};
	}
	const split = /^(.*):(\d+)$/.exec(defaults.server ?? '');
	const address = split?.[1] ?? defaults.server ?? '0';
	const port = split?.[2] ?? String(defaults.serverPort);
	const share = 'A folder whose files others may download; more can be added later';
	return {
		...base,
		title: 'Run peer',
		fields: [
			field(
				'server',
				'Server address',
				address,
				'Where the index server runs: an address, a name, or an invite link; 0 is this machine',
			),
			field('serverPort', 'Server port', port, `The index server's port, usually ${defaults.serverPort}`),
			field(
				'port',
				'Own port',
				String(defaults.peerPort),
				'Where others fetch files from you; 0 lets the system choose',
			),
			field('share', 'Share folder', 'nothing', share, defaults.share),
			field('name', 'Your name', defaults.name ?? 'the host name', 'How others see you'),
		],
	};
}

/** The form with the servers that are there now; the first open one is what an empty field means. */
export function withFound(form: FormState, found: readonly FoundServer[]): FormState {
	if (form.kind !== 'peer') return form;
	if (!form.isOpen) return {...form, found};
	const first = found.find(server => !server.private);
	const where = first && parseAddress(first.address, 1);
	const fields = form.fields.map(field => {
		if (field.id === 'server') return {...field, empty: where?.host ?? '0'};
		return field.id === 'serverPort' ? {...field, empty: String(where?.port ?? form.serverPort)} : field;
	});
	return {...form, found, fields};
}

/** The form with one of the found servers in its field for the server: that one, or the next. */
export function withNextFound(form: FormState, at?: number): FormState {
	const index = form.fields.findIndex(field => field.id === 'server');
	if (index === -1 || form.found.length === 0) return form;
	const before = form.found.findIndex(server => server.address === form.fields[index]?.value);
	const next = form.found[at ?? (before + 1) % form.found.length];
	return next ? withValue({...form, index}, next.address) : form;
}

/** What is wrong with a field's value, or undefined. */
export function fieldError(form: FormState, id: FieldId): string | undefined {
	const value = form.fields.find(field => field.id === id)?.value.trim() ?? '';
	try {
		if (id === 'port' && value) parsePort(value);
		else if (id === 'serverPort' && value) parseAddress(`0:${value}`, 1);
		else if (id === 'host' && value) parseHost(value);
		else if (id === 'server' && looksLikeInvite(value)) parseInvite(value);
		else if (id === 'server' && value) parseAddress(value, 1);
	} catch (error) {
		if (error instanceof P2pError) return error.message;
		throw error;
	}
	if (id === 'name' && value.length > 64) return 'A name has at most 64 characters';
	return undefined;
}

/** The form with a new value in its current field, checked at once. */
export function withValue(form: FormState, value: string): FormState {
	const changed = {
		...form,
		error: undefined,
		fields: form.fields.map((field, index) => (index === form.index ? {...field, value} : field)),
	};
	return {
		...changed,
		fields: changed.fields.map((field, index) =>
			index === form.index ? {...field, error: fieldError(changed, field.id)} : field,
		),
	};
}

/** The first field with something wrong, or undefined when the form can be sent. */
export function firstBadField(form: FormState): {index: number; error: string} | undefined {
	for (const [index, field] of form.fields.entries()) {
		const error = fieldError(form, field.id);
		if (error) return {index, error};
	}
	return undefined;
}

/** What a form without bad fields asks for. */
export function launchRequest(form: FormState): LaunchRequest {
	const field = (id: FieldId) => form.fields.find(candidate => candidate.id === id);
	const value = (id: FieldId) => field(id)?.value.trim() ?? '';
	const portText = value('port');
	const port = portText === '' || portText === field('port')?.empty ? undefined : parsePort(portText);
	if (form.kind === 'server') {
		const host = value('host');
		return {mode: 'server', ...(host && {host: parseHost(host)}), ...(port !== undefined && {port})};
	}
	const given = (id: FieldId) => value(id) || (field(id)?.empty ?? '');
	const server = looksLikeInvite(given('server'))
		? given('server')
		: formatAddress(parseAddress(given('server'), parsePort(given('serverPort'))));
	const share = value('share');
	const name = value('name');
	return {
		mode: 'peer',
		server,
		...(port !== undefined && {port}),
		...(share && {share}),
		...(name && {name}),
	};
}

const refusals = ['identity-changed', 'refused', 'wrong-peer', 'not-a-member', 'bad-invite'];

/** Which field a failure to start belongs to. */
export function fieldOfFailure(kind: FormKind, code: string, message: string): FieldId | undefined {
	if (code === 'port-taken') return 'port';
	if (code === 'in-use') return undefined;
	if (kind === 'server') return code === 'usage' || code === 'unreachable' ? 'host' : undefined;
	if (/folder|share/i.test(message) || code === 'not-readable') return 'share';
	if (['unreachable', 'timeout', 'no-server', ...refusals].includes(code)) return 'server';
	return undefined;
}
