// Calls each function of the sample and prints what came back, one JSON line each.
import { createUser, deleteUser, getUser, listUsers, restoreUser, updateUser } from "./sample.js";

const created = await createUser("Alice", "alice@example.com");
const id = created!.id!;
console.log(JSON.stringify([created!.name, created!.email]));
console.log(JSON.stringify([(await getUser(id))!.name]));
const updated = await updateUser(id, "Alice Smith");
console.log(JSON.stringify([updated!.name, updated!.email]));
await deleteUser(id);
console.log(JSON.stringify((await listUsers()).map((user) => user.name)));
console.log(JSON.stringify([(await restoreUser(id))!.name]));
console.log(JSON.stringify((await listUsers()).map((user) => user.name)));
