/**
 * Node's HTTP. An import statement would read every export of it, and `WebSocket` among them, for which Node loads all
 * of its fetch: a fifth of the time in which a command starts, in every process.
 */
export const {Agent, request, STATUS_CODES} = process.getBuiltinModule('node:http');
