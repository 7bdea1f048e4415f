import {Box, useApp, useInput} from 'ink';
import {useEffect, useMemo, useSyncExternalStore} from 'react';
import type {Overlay} from '../store/state.ts';
import {type Ui, UiContext, usePicked, useUi} from './components/ui-context.ts';
import {handleKey} from './keys/handle-key.ts';
import {ConfirmOverlay} from './overlays/confirm-overlay.tsx';
import {GetDialog} from './overlays/get-dialog.tsx';
import {HelpOverlay} from './overlays/help-overlay.tsx';
import {PaletteOverlay} from './overlays/palette-overlay.tsx';
import {SettingsOverlay} from './overlays/settings-overlay.tsx';
import {ShareOverlay} from './overlays/share-overlay.tsx';
import {TransferOverlay} from './overlays/transfer-overlay.tsx';
import {FormScreen} from './screens/form-screen.tsx';
import {MenuScreen} from './screens/menu-screen.tsx';
import {NoticeScreen} from './screens/notice-screen.tsx';
import {PeerScreen} from './screens/peer-screen.tsx';
import {ServerScreen} from './screens/server-screen.tsx';
import {createTheme} from './theme.ts';

/** Milliseconds that a toast stands: long enough to read, longer when something is wrong. */
const toastTimes = {info: 4000, ok: 4000, warn: 6000, error: 9000};

function OverlayView({overlay}: {overlay: Overlay}) {
	switch (overlay.kind) {
		case 'help':
			return <HelpOverlay overlay={overlay} />;
		case 'palette':
			return <PaletteOverlay overlay={overlay} />;
		case 'get':
			return <GetDialog overlay={overlay} />;
		case 'confirm':
			return <ConfirmOverlay overlay={overlay} />;
		case 'share':
			return <ShareOverlay overlay={overlay} />;
		case 'transfer':
			return <TransferOverlay overlay={overlay} />;
		case 'settings':
			return <SettingsOverlay overlay={overlay} />;
	}
}

function CurrentScreen() {
	const [screen, starting] = usePicked(state => [state.screen, state.starting]);
	switch (screen) {
		case 'menu':
			return <MenuScreen />;
		case 'form':
			return <FormScreen />;
		case 'peer':
			return <PeerScreen />;
		case 'server':
			return <ServerScreen />;
		case 'starting':
			return <NoticeScreen text={starting ?? 'Starting'} />;
		case 'stopping':
			return <NoticeScreen text="Stopping: what is here is kept" />;
	}
}

function Root() {
	const {context, keys, onReady} = useUi();
	const {suspendTerminal} = useApp();
	const {store} = context;
	const [size, overlay, toast] = usePicked(state => [state.size, state.focus.overlay, state.toast, state.repaints]);
	useInput(() => {
		const event = keys?.current;
		if (event) handleKey(event, context);
	});
	useEffect(() => onReady?.(suspendTerminal), [onReady, suspendTerminal]);
	useEffect(() => {
		if (!toast) return;
		const timer = setTimeout(() => store.dispatch({type: 'toast/gone', id: toast.id}), toastTimes[toast.kind]);
		return () => clearTimeout(timer);
	}, [toast, store]);
	// No `overflow`: Ink would cut every row once more, a third of a frame's time; the rows have their exact width.
	return (
		<Box width={size.columns} height={size.rows}>
			<CurrentScreen />
			{overlay && <OverlayView overlay={overlay} />}
		</Box>
	);
}

/** The whole interface. */
export function App({ui}: {ui: Ui}) {
	const {store} = ui.context;
	const chosen = useSyncExternalStore(store.subscribe, () => store.get().settings.theme);
	const themed = useMemo(() => {
		const {lookFor} = ui;
		return lookFor ? {...ui, theme: createTheme(lookFor(chosen))} : ui;
	}, [ui, chosen]);
	return (
		<UiContext value={themed}>
			<Root />
		</UiContext>
	);
}
