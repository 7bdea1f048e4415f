/** What the process tells its caller when it ends. The numbers are part of the command line's contract. */
export const exitCodes = {
	done: 0,
	failed: 1,
	usage: 2,
	notFound: 3,
	unreachable: 4,
	corrupt: 5,
	refused: 6,
	interrupted: 130,
} as const;

/** One of the numbers of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
