// Calls the server with every protocol and form that a browser's client has; prints one JSON line each.
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Interceptor, Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { CollaborationService, StorageService } from "./gen/app_pb.js";

const [baseUrl, token] = (globalThis as any).process.argv.slice(2);
const authorize: Interceptor = (next) => (request) => {
  request.header.set("Authorization", `Bearer ${token}`);
  return next(request);
};
const options = { baseUrl, interceptors: [authorize] };
const transports: Record<string, Transport> = {
  json: createConnectTransport(options),
  binary: createConnectTransport({ ...options, useBinaryFormat: true }),
  get: createConnectTransport({ ...options, useHttpGet: true }),
  grpcWeb: createGrpcWebTransport(options),
};

for (const [name, transport] of Object.entries(transports)) {
  const storage = createClient(StorageService, transport);
  const team = createClient(CollaborationService, transport);
  const email = `${name}@example.org`;
  const made = (await storage.usersCreateRecord({ record: { name, email } })).record!;
  const read = (await storage.usersGetRecord({ recordId: made.id! })).record!;
  const codes: string[] = [];
  for (const call of [
    () => storage.usersGetRecord({ recordId: 999 }),
    () => storage.usersCreateRecord({ record: { name, email } }),
    () => storage.usersListRecords({ pageSize: -1 }),
    () => createClient(StorageService, createConnectTransport({ baseUrl })).usersListRecords({}),
  ]) {
    try {
      await call();
    } catch (error) {
      codes.push(Code[ConnectError.from(error).code]);
    }
  }
  await team.saveReport({ report: { id: name, title: name } });
  const changes: string[] = [];
  for await (const change of team.streamChanges({ stopAtEnd: true, component: ["report"] })) {
    changes.push(change.event!.recordId);
  }
  const exported = await storage.databaseExportZip({});
  const zip = new TextDecoder().decode(exported.data.slice(0, 2));
  console.log(JSON.stringify({ transport: name, name: read.name, codes, last: changes.at(-1), zip }));
}
