// Asks once with the official client and its default retries: node retry.mjs <base URL with /v1> [model] [key]
import OpenAI from "openai";

const [baseURL = "http://127.0.0.1:8080/v1", model = "demo", apiKey = "sk-none"] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey });
const answer = await client.chat.completions.create({ model, messages: [{ role: "user", content: "Hi." }] });
console.log(answer.choices[0].message.content);
