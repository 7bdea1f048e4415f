import {loadGet} from './cli/load-get.ts';
import {type Commands, runProgram} from './cli/program.ts';

const commands: Commands = {
	search: () => import('./cli/search.ts'),
	get: loadGet,
	peers: () => import('./cli/peers.ts'),
	ls: () => import('./cli/ls.ts'),
	hash: () => import('./cli/hash.ts'),
	servers: () => import('./cli/servers.ts'),
	trust: () => import('./cli/trust.ts'),
	id: () => import('./cli/id.ts'),
	block: () => import('./cli/block.ts'),
	unblock: async () => ({command: (await import('./cli/block.ts')).unblock}),
	invite: () => import('./cli/invite.ts'),
	invites: () => import('./cli/invites.ts'),
	members: () => import('./cli/members.ts'),
	remove: async () => ({command: (await import('./cli/members.ts')).remove}),
	share: () => import('./cli/share.ts'),
	leave: () => import('./cli/leave.ts'),
	backup: () => import('./cli/backup.ts'),
	migrate: () => import('./cli/migrate.ts'),
	demo: () => import('./cli/demo.ts'),
};

await runProgram(commands, () => import('./cli/run-mode.ts'));
