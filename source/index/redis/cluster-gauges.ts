import type {ClusterSide} from '../store.ts';
import type {ClusterLog} from './cluster-log.ts';
import type {RedisLink} from './redis-link.ts';

/** What `GET /metrics` says of a cluster as one of its servers sees it. `servers`: how many are there. */
export function clusterGauges(link: RedisLink, log: ClusterLog, servers: number): ReturnType<ClusterSide['gauges']> {
	const {retries, refreshes} = link.stats;
	const whole = log.state() === 'whole' ? 1 : 0;
	return {
		cluster_whole: {help: 'Whether this server has all that the cluster has, and answers searches.', value: whole},
		cluster_servers: {help: 'Index servers that are there.', value: servers},
		cluster_masters: {help: 'Masters of the Redis Cluster.', value: link.masters.length},
		cluster_log_seconds: {
			help: 'Age of the log that was read to its end longest ago.',
			value: Math.round(log.behind() / 100) / 10,
		},
		cluster_entries: {help: 'Log entries applied since the start.', value: log.entries},
		cluster_retries: {help: 'Commands to Redis that were sent again since the start.', value: retries},
		cluster_refreshes: {help: 'Times that the holders of slots were looked up anew.', value: refreshes},
	};
}
