import {Text} from 'ink';
import {memo} from 'react';

/** One painted row of exact width: a single text node, drawn again only when its text is another. */
export const Row = memo(function Row({text}: {text: string}) {
	return <Text wrap="truncate-end">{text}</Text>;
});
