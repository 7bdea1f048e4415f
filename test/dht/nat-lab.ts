// Two private networks behind NATs and a public machine between them, of network namespaces on this machine. Nothing
// leaves them: their addresses are those for documentation (RFC 5737) and private ones.
import {execFileSync, spawnSync} from 'node:child_process';

/** Why there can be no lab here; undefined when there can. */
export function whyNoLab(): string | undefined {
	if (process.platform !== 'linux') return 'network namespaces are of Linux';
	if (process.getuid?.() !== 0) return 'network namespaces need root';
	for (const [program, ...args] of [
		['ip', '-V'],
		['iptables', '-V'],
		['sysctl', '-V'],
	] as const)
		if (spawnSync(program, args).status !== 0) return `${program} is not installed`;
	const name = `p2pt${process.pid}x`;
	if (spawnSync('ip', ['netns', 'add', name]).status !== 0) return 'this machine lets nobody make network namespaces';
	const bridge = spawnSync('ip', ['-n', name, 'link', 'add', 'br0', 'type', 'bridge']).status === 0;
	const nat = spawnSync('ip', ['netns', 'exec', name, 'iptables', '-t', 'nat', '-S']).status === 0;
	spawnSync('ip', ['netns', 'del', name]);
	return bridge && nat ? undefined : 'the kernel has no bridges or no NAT';
}

/** A built lab: how to run a program in each place. */
export type NatLab = {
	publicAddress: string;
	/** The start of a command line that runs what follows there. */
	at(place: 'public' | 'alice' | 'bob'): string[];
	remove(): void;
};

/**
 * Builds it: each side's network reaches the public one through a machine that hides it behind its own address, and lets
 * in only what answers.
 */
export function buildNatLab(): NatLab {
	const prefix = `p2pt${process.pid}`;
	const names = {
		public: `${prefix}p`,
		alice: `${prefix}a`,
		bob: `${prefix}b`,
		natA: `${prefix}na`,
		natB: `${prefix}nb`,
	};
	const ip = (...args: string[]) => execFileSync('ip', args, {stdio: ['ignore', 'ignore', 'pipe']});
	const within = (name: string, ...command: string[]) => ip('netns', 'exec', name, ...command);
	const remove = () => {
		for (const name of Object.values(names)) spawnSync('ip', ['netns', 'del', name]);
	};
	try {
		for (const name of Object.values(names)) {
			ip('netns', 'add', name);
			ip('-n', name, 'link', 'set', 'lo', 'up');
		}
		ip('-n', names.public, 'link', 'add', 'br0', 'type', 'bridge');
		ip('-n', names.public, 'addr', 'add', '198.51.100.1/24', 'dev', 'br0');
		ip('-n', names.public, 'link', 'set', 'br0', 'up');
		const sides = [
			{inner: names.alice, nat: names.natA, host: 2, net: '10.1.0'},
			{inner: names.bob, nat: names.natB, host: 3, net: '10.2.0'},
		];
		for (const {inner, nat, host, net} of sides) {
			ip('link', 'add', 'out', 'netns', nat, 'type', 'veth', 'peer', 'name', `port${host}`, 'netns', names.public);
			ip('-n', names.public, 'link', 'set', `port${host}`, 'master', 'br0');
			ip('-n', names.public, 'link', 'set', `port${host}`, 'up');
			ip('-n', nat, 'addr', 'add', `198.51.100.${host}/24`, 'dev', 'out');
			ip('-n', nat, 'link', 'set', 'out', 'up');
			ip('link', 'add', 'in', 'netns', nat, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', inner);
			ip('-n', nat, 'addr', 'add', `${net}.1/24`, 'dev', 'in');
			ip('-n', nat, 'link', 'set', 'in', 'up');
			ip('-n', inner, 'addr', 'add', `${net}.2/24`, 'dev', 'eth0');
			ip('-n', inner, 'link', 'set', 'eth0', 'up');
			ip('-n', inner, 'route', 'add', 'default', 'via', `${net}.1`);
			within(nat, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
			within(nat, 'iptables', '-t', 'nat', '-A', 'POSTROUTING', '-o', 'out', '-j', 'MASQUERADE');
			const answers = ['-m', 'state', '--state', 'ESTABLISHED,RELATED', '-j', 'ACCEPT'];
			within(nat, 'iptables', '-A', 'FORWARD', '-i', 'out', ...answers);
			within(nat, 'iptables', '-A', 'FORWARD', '-i', 'out', '-j', 'DROP');
			// Dropped before it is tracked: else what the other side sends first takes the port that the NAT would keep.
			within(nat, 'iptables', '-A', 'INPUT', '-i', 'out', '-j', 'DROP');
		}
	} catch (error) {
		remove();
		throw error;
	}
	return {publicAddress: '198.51.100.1', at: place => ['ip', 'netns', 'exec', names[place]], remove};
}
