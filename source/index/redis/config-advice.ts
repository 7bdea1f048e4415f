import type {RedisLink} from './redis-link.ts';

/** A setting of Redis that costs an index dearly when it is another. `bad`: the values that do. */
type Advice = {name: string; bad: (value: string, all: Map<string, string>) => boolean; told: string};

const advice: Advice[] = [
	{
		name: 'appendonly',
		bad: value => value === 'no',
		told: 'appendonly is off: a master that starts again would be empty, and empty its replica; set appendonly yes',
	},
	{
		name: 'maxmemory-policy',
		bad: (value, all) => value !== 'noeviction' && all.get('maxmemory') !== '0',
		told: 'maxmemory-policy lets Redis throw a part of the index away when memory is short; set noeviction',
	},
	{
		name: 'cluster-node-timeout',
		bad: value => Number(value) > 5000,
		told: 'cluster-node-timeout is above 5000: changes wait longer than ten seconds when a master dies; set 2000',
	},
];

/**
 * What should be set otherwise at the masters, a sentence for each; nothing where they do not tell, as CONFIG may be
 * forbidden.
 */
export async function configAdvice(link: RedisLink): Promise<string[]> {
	const told: string[] = [];
	const settings = await link.askMasters<string[]>([
		'CONFIG',
		'GET',
		'appendonly',
		'maxmemory*',
		'cluster-node-timeout',
	]);
	for (const [address, listed] of settings) {
		const all = new Map<string, string>();
		for (let at = 0; at + 1 < listed.length; at += 2) all.set(String(listed[at]), String(listed[at + 1]));
		for (const {name, bad, told: sentence} of advice) {
			const value = all.get(name);
			if (value !== undefined && bad(value, all)) told.push(`Redis at ${address}: ${sentence}`);
		}
	}
	return told;
}
