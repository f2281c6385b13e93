// Runs the official OpenAI client against a server: node openai.mjs <base URL with /v1> [model] [key]
// Prints one line per law and exits with 1 if any was broken.
import assert from "node:assert/strict";
import OpenAI, { APIError, APIUserAbortError, BadRequestError, NotFoundError } from "openai";

const [baseURL = "http://127.0.0.1:8080/v1", model = "demo", apiKey = "sk-none"] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, timeout: 60_000 });
const messages = [{ role: "user", content: "The passkey of Mara is 48213. What is the passkey of Mara?" }];
const ask = { model, messages, temperature: 0, max_tokens: 40 };

const laws = {
  async "models are listed and found"() {
    const ids = [];
    for await (const each of client.models.list()) ids.push(each.id);
    assert.ok(ids.includes(model));
    assert.equal((await client.models.retrieve(model)).id, model);
  },

  async "a chat is answered with usage"() {
    const answer = await client.chat.completions.create(ask);
    assert.equal(answer.object, "chat.completion");
    assert.equal(answer.choices[0].message.role, "assistant");
    assert.ok(answer.choices[0].message.content.length > 0);
    assert.ok(["stop", "length"].includes(answer.choices[0].finish_reason));
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
    assert.ok(answer._request_id);
  },

  async "a stream adds up to the whole answer and ends with usage"() {
    const whole = await client.chat.completions.create(ask);
    const stream = await client.chat.completions.create({ ...ask, stream: true, stream_options: { include_usage: true } });
    let text = "", finishes = 0, usage;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? "";
      finishes += chunk.choices[0]?.finish_reason ? 1 : 0;
      usage = chunk.usage ?? usage;
    }
    assert.equal(text, whole.choices[0].message.content);
    assert.equal(finishes, 1);
    assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
  },

  async "the stream helper sees one whole message"() {
    const stream = client.chat.completions.stream(ask);
    let text = "";
    stream.on("content", (delta) => (text += delta));
    assert.equal((await stream.finalChatCompletion()).choices[0].message.content, text);
  },

  async "an aborted stream ends at once and the server goes on"() {
    const stream = await client.chat.completions.create({ ...ask, max_tokens: 4_000, stream: true, ignore_eos: true });
    let chunks = 0;
    try {
      for await (const _ of stream) if (++chunks === 2) stream.controller.abort();
    } catch (error) {
      assert.ok(error instanceof APIUserAbortError, String(error));
    }
    assert.ok(chunks >= 2 && chunks < 100, `${chunks} chunks after the abort`);
    assert.ok((await client.chat.completions.create(ask)).choices.length === 1);
  },

  async "errors are typed and name the field"() {
    await assert.rejects(client.chat.completions.create({ ...ask, temperature: 3 }), (error) => {
      assert.ok(error instanceof BadRequestError);
      assert.equal(error.param, "temperature");
      assert.equal(error.code, "invalid_value");
      assert.ok(error.requestID);
      return true;
    });
    await assert.rejects(client.chat.completions.create({ ...ask, model: "nothing" }), (error) => {
      assert.ok(error instanceof NotFoundError);
      assert.equal(error.code, "model_not_found");
      return true;
    });
    await assert.rejects(client.chat.completions.create({ ...ask, stop: "" }), BadRequestError);
  },

  async "what is not supported is refused once, without retries"() {
    let calls = 0;
    const counting = new OpenAI({ baseURL, apiKey, fetch: (...args) => (calls++, fetch(...args)) });
    await assert.rejects(counting.embeddings.create({ model, input: "x" }), (error) => error instanceof APIError && error.status === 501);
    assert.equal(calls, 1);
  },
};

let broken = 0;
for (const [law, holds] of Object.entries(laws)) {
  try {
    await holds();
    console.log(`ok      ${law}`);
  } catch (error) {
    broken++;
    console.log(`BROKEN  ${law}: ${error?.stack ?? error}`);
  }
}
process.exit(broken ? 1 : 0);
