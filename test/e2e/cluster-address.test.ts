// What the program says when the address of its cluster is wrong, and that TLS and a password go through.
import {execFile} from 'node:child_process';
import {createServer} from 'node:net';
import path from 'node:path';
import {promisify} from 'node:util';
import {describe, expect, test} from 'vitest';
import {startServer} from '../helpers/network.ts';
import {runProgram} from '../helpers/program.ts';
import {type ClusterOptions, hasRedisServer, type RedisCluster, startRedisCluster} from '../helpers/redis-cluster.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

const run = promisify(execFile);

async function serve(store: string) {
	const server = ['--mode', 'server', '--host', '0', '--port', '0', '--data-dir', await tempFolder(), '--json'];
	return runProgram([...server, '--store', store]);
}

async function withCluster(options: ClusterOptions, work: (cluster: RedisCluster) => Promise<void>): Promise<void> {
	const cluster = await startRedisCluster(options);
	try {
		await work(cluster);
	} finally {
		await cluster.stop();
	}
}

describe.skipIf(!(await hasRedisServer()))('--store', () => {
	test('that is no address, or where nothing listens', async () => {
		expect(await serve('index.db')).toMatchObject({code: 2, stderr: expect.stringContaining('redis://HOST:PORT')});
		expect(await serve('redis://host:0')).toMatchObject({code: 2});
		expect(await serve('redis://127.0.0.1:1')).toMatchObject({code: 4, stderr: expect.stringContaining('127.0.0.1:1')});
	});

	test('with a password that is wrong or missing, and of a Redis that is no cluster', async () => {
		await withCluster({masters: 1, password: 's3cret'}, async cluster => {
			const [node] = cluster.nodes;
			const where = `127.0.0.1:${node?.port}`;
			for (const store of [`redis://${where}`, `redis://:wrong@${where}`]) {
				const {code, stderr} = await serve(store);
				expect({code, stderr}).toMatchObject({code: 6, stderr: expect.stringContaining('password')});
				expect(stderr).not.toContain('wrong@');
			}
			expect(await serve(`rediss://:s3cret@${where}`)).toMatchObject({code: 4, stderr: expect.stringContaining('TLS')});
			const server = await startServer({args: ['--store', `redis://:s3cret@${where}`]});
			expect(await server.stop()).toBe(0);
		});
		const folder = await tempFolder();
		const port = await freePort();
		const alone = execFile('redis-server', [
			'--port',
			String(port),
			'--bind',
			'127.0.0.1',
			'--save',
			'',
			'--dir',
			folder,
		]);
		try {
			await expect
				.poll(() => serve(`redis://127.0.0.1:${port}`), {timeout: 30_000, interval: 300})
				.toMatchObject({
					code: 2,
					stderr: expect.stringContaining('not a cluster'),
				});
		} finally {
			alone.kill('SIGKILL');
		}
	});

	test('over TLS with a password', async () => {
		const folder = await tempFolder();
		const [key, cert] = [path.join(folder, 'redis.key'), path.join(folder, 'redis.crt')];
		await run('openssl', [
			...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
			...['-keyout', key, '-out', cert, '-subj', '/CN=redis', '-addext', 'subjectAltName=IP:127.0.0.1'],
		]);
		await withCluster({tls: {cert, key}, password: 's3cret'}, async cluster => {
			expect(await serve(cluster.url)).toMatchObject({code: 4, stderr: expect.stringContaining('NODE_EXTRA_CA_CERTS')});
			expect(await serve(cluster.url.replace('rediss', 'redis'))).toMatchObject({code: 4});
			const server = await startServer({args: ['--store', cluster.url], env: {NODE_EXTRA_CA_CERTS: cert}});
			const {code, stdout} = await runProgram(['peers', '--server', server.address, '--data-dir', folder]);
			expect({code, stdout}).toMatchObject({code: 0});
			expect(await server.stop()).toBe(0);
		});
	});
});

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	const {port} = server.address() as {port: number};
	await new Promise(resolve => server.close(resolve));
	return port;
}
