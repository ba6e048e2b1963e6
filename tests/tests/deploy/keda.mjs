// Checks a ScaledObject against KEDA's schema: node keda.mjs NODE_MODULES FILE.yaml
// Exit code 1, and the reason, when it does not fit.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, file] = process.argv.slice(2);
const { load } = createRequire(`${modules}/`)("js-yaml");
const schema = pathToFileURL(`${modules}/@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject.js`);
const { ScaledObject } = await import(schema);

new ScaledObject(load(readFileSync(file, "utf8"))).validate();
