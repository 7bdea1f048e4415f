import {readFileSync} from 'node:fs';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import * as z from 'zod';

const schema = z.object({servers: z.array(z.string()).max(100)});
const fileName = 'last-servers.json';

/** The index servers that were used last with this data folder, as HOST:PORT; none when there is no record. */
export function lastServers(dataDir: string): string[] {
	try {
		return schema.parse(JSON.parse(readFileSync(path.join(dataDir, fileName), 'utf8'))).servers;
	} catch {
		// Only a convenience: a missing or damaged record means that the person is asked again.
		return [];
	}
}

/** Remembers servers that took a registration or answered a command. */
export async function rememberServers(dataDir: string, servers: string[]): Promise<void> {
	if (JSON.stringify(lastServers(dataDir)) === JSON.stringify(servers)) return;
	await writeFileAtomic(path.join(dataDir, fileName), `${JSON.stringify({servers})}\n`, {mode: 0o600});
}
