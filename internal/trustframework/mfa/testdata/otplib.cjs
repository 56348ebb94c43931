// Plays an authenticator app with the npm package otplib: reads a key URI, and prints what it understands and the codes of
// some moments, given in seconds.
// node otplib.cjs FOLDER URI SECOND…
"use strict";
const path = require("node:path");
const [folder, uri, ...moments] = process.argv.slice(2);
const of = (name) => require(path.join(folder, "node_modules", name));
const { generateSync, createGuardrails } = of("otplib");
const { parse } = of("@otplib/uri");

const { type, label, params } = parse(uri);
// Secrets of 80 bits, which B2C makes, are below what otplib takes unless it is told so.
const guardrails = createGuardrails({ MIN_SECRET_BYTES: 5 });
const codes = moments.map((second) => generateSync({ secret: params.secret, epoch: Number(second), guardrails }));
console.log(JSON.stringify({ type, label, secret: params.secret, issuer: params.issuer, codes }));
