// Calls the email provider's four operations by Auth0's own SDK, and prints what each came to as one line of JSON.
// Arguments: where the SDK is, the domain, the token.
const [sdk, domain, token] = process.argv.slice(2);
const { ManagementClient } = require(sdk);

const provider = new ManagementClient({ domain, token, maxRetries: 0 }).emails.provider;
const all = { fields: "name,enabled,default_from_address,credentials,settings", include_fields: true };
const smtp = {
  name: "smtp",
  enabled: true,
  default_from_address: "no-reply@id.example.org",
  credentials: { smtp_host: "smtp.example.org", smtp_port: 587, smtp_user: "otp", smtp_pass: "s3cret" },
  settings: {},
};

async function say(what, call) {
  let line;
  try {
    line = { what, answer: (await call()) ?? null };
  } catch (e) {
    line = { what, error: e.name, status: e.statusCode, code: e.body?.errorCode };
  }
  console.log(JSON.stringify(line));
}

(async () => {
  await say("get none", () => provider.get(all));
  await say("create", () => provider.create(smtp));
  await say("create again", () => provider.create(smtp));
  await say("get", () => provider.get());
  await say("get all", () => provider.get(all));
  await say("move without the password", () => provider.update({ credentials: { smtp_host: "evil.example.net" } }));
  await say("disable", () => provider.update({ enabled: false }));
  await say("change", () => provider.update({ name: "resend", enabled: true, credentials: { api_key: "re_1" } }));
  await say("unknown name", () => provider.update({ name: "sendgird", credentials: { api_key: "SG.1" } }));
  await say("delete", () => provider.delete());
  await say("delete again", () => provider.delete());
  const stranger = new ManagementClient({ domain, token: "otp_stranger", maxRetries: 0 }).emails.provider;
  await say("stranger", () => stranger.get());
  const application = new ManagementClient({ domain, token: "otp_application", maxRetries: 0 }).emails.provider;
  await say("application", () => application.get());
})();
