// curl and aria2 from nginx over https: what a person would use without us. They verify nothing.
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {
	type Contestant,
	endProcess,
	findProgram,
	freePort,
	type Rival,
	startServer,
	type Workload,
} from './contestant.ts';
import {runMeasured} from './measure.ts';

/** The same kind of certificate as ours. */
async function nginxConfig(folder: string, scratch: string, port: number): Promise<string> {
	const {certificatePem, keyPem} = await temporaryIdentity();
	const [certificate, key] = [path.join(scratch, 'nginx.crt'), path.join(scratch, 'nginx.key')];
	await writeFile(certificate, certificatePem);
	await writeFile(key, keyPem, {mode: 0o600});
	const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
	return `daemon off; worker_processes auto; pid ${scratch}/nginx.pid; error_log ${scratch}/nginx.log;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000; default_type application/octet-stream;
  ${temps.map(temp => `${temp}_temp_path ${scratch}/${temp};`).join(' ')}
  server {
    listen 127.0.0.1:${port} ssl; server_name localhost; root ${folder};
    ssl_certificate ${certificate}; ssl_certificate_key ${key}; ssl_protocols TLSv1.3;
  }
}
`;
}

export const web: Rival = async (workload, scratch) => {
	const nginx = findProgram('nginx');
	if (!nginx) return 'curl and aria2: nginx is not installed';
	const port = await freePort();
	const config = path.join(scratch, 'nginx.conf');
	await writeFile(config, await nginxConfig(workload.folder, scratch, port));
	const server = await startServer(nginx, ['-c', config, '-p', scratch, '-e', `${scratch}/nginx.log`], port);
	const contestants = clients(workload, `https://127.0.0.1:${port}`, scratch).map(contestant => ({
		...contestant,
		servers: [server],
	}));
	return {contestants, stop: () => endProcess(server)};
};

function clients(workload: Workload, url: string, scratch: string): Omit<Contestant, 'servers'>[] {
	const curl = findProgram('curl');
	const aria = findProgram('aria2c');
	if (workload.files.length > 1) return curl ? [parallelCurl(curl, workload, url, scratch)] : [];
	const name = workload.files[0]!;
	const fetching = (script: string) => async (into: string) => {
		const arrived = path.join(into, name);
		const ended = await runMeasured('sh', ['-c', script, 'sh', `${url}/${name}`, arrived, into, name]);
		return {...ended, arrived};
	};
	const curlLine = `'${curl}' -k -s -S -f -o "$2" "$1" && sync "$2"`;
	return [
		...(curl
			? [
					{name: 'curl, nginx', note: 'TLS, not verified', run: fetching(curlLine)},
					{
						name: 'curl, nginx, then sha256sum',
						note: 'TLS, verified after',
						run: fetching(`${curlLine} && sha256sum "$2" >/dev/null`),
					},
				]
			: []),
		...(aria
			? [
					{
						name: 'aria2 -x4, nginx',
						note: 'TLS, not verified',
						run: fetching(
							`'${aria}' -q -x4 -s4 --no-conf --check-certificate=false --file-allocation=none -d "$3" -o "$4" "$1" && sync "$2"`,
						),
					},
				]
			: []),
	];
}

function parallelCurl(curl: string, {files}: Workload, url: string, scratch: string): Omit<Contestant, 'servers'> {
	return {
		name: 'curl --parallel, nginx',
		note: 'TLS, not verified',
		async run(into) {
			const config = path.join(scratch, 'curl.conf');
			await writeFile(config, files.map(file => `url="${url}/${file}"\noutput="${path.join(into, file)}"\n`).join(''));
			const script = `'${curl}' -k -s -S -f --parallel -K "$1" && find "$2" -type f -exec sync {} +`;
			return {...(await runMeasured('sh', ['-c', script, 'sh', config, into])), arrived: into};
		},
	};
}
