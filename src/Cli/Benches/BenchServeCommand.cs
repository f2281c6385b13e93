using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Concertina.Cli.Benches.Load;

namespace Concertina.Cli.Benches;

/// <summary><c>concertina bench serve</c>: concurrent streaming clients against a running server.</summary>
internal static class BenchServeCommand
{
    public static Command Create()
    {
        Option<Uri> url = ServerUrl.Option();
        Option<string?> key = new("--key") { Description = "API key." };
        Option<int> clients = new("--clients") { Description = "Streams at a time.", DefaultValueFactory = _ => 8 };
        Option<int> promptTokens = new("--prompt-tokens") { Description = "Prompt length, about.", DefaultValueFactory = _ => 256 };
        Option<int> maxTokens = new("--max-tokens") { Description = "Tokens to generate per request.", DefaultValueFactory = _ => 64 };
        Option<int> requests = new("--requests") { Description = "Requests in all.", DefaultValueFactory = _ => 64 };
        Option<int?> pid = new("--pid") { Description = "Process of the server, where /metrics does not say its resident memory." };
        Option<string?> json = new("--json") { Description = "File for the result." };
        Option<string?> scenario = new("--scenario") { Description = "Scenario of conversations (bench/scenarios); a server is started for it unless --url is given." };
        Option<string> policy = new("--policy")
        {
            Description = $"With --scenario, the server's answer to memory pressure: {string.Join(", ", LoadPolicy.All.Select(known => known.Name))}.",
            DefaultValueFactory = _ => LoadPolicy.Elastic.Name,
        };
        Option<string> model = new("--model") { Description = "With --scenario, the model of the server.", DefaultValueFactory = _ => "models/demo/demo-q8_0.gguf" };
        Option<string> set = new("--set") { Description = "With --scenario, the folder with recall_<length>.jsonl.", DefaultValueFactory = _ => "models/demo/eval_project" };
        Option<string?> svg = new("--svg") { Description = "With --scenario, file for a picture of the run." };
        Command command = new("serve", "Measures a running server: time to first token, between tokens, tokens per second, memory.")
        {
            url, key, clients, promptTokens, maxTokens, requests, pid, json, scenario, policy, model, set, svg,
        };
        command.SetAction(async (arguments, cancellation) =>
        {
            if (arguments.GetValue(scenario) is { } file)
            {
                return await LoadCommand.Run(
                    new LoadOrder
                    {
                        Scenario = file,
                        Policy = arguments.GetRequiredValue(policy),
                        Url = arguments.GetResult(url) is { Implicit: false } ? arguments.GetValue(url) : null,
                        Key = arguments.GetValue(key),
                        Model = arguments.GetRequiredValue(model),
                        RecallSet = arguments.GetRequiredValue(set),
                        Json = arguments.GetValue(json),
                        Svg = arguments.GetValue(svg),
                    },
                    cancellation);
            }
            ClientLoad load = new(
                arguments.GetRequiredValue(clients), arguments.GetRequiredValue(promptTokens),
                arguments.GetRequiredValue(maxTokens), arguments.GetRequiredValue(requests));
            using ChatClient client = new(arguments.GetRequiredValue(url), arguments.GetValue(key), TimeProvider.System);
            BenchResult result = await Measure(client, load, arguments.GetValue(pid), cancellation);
            ResultFile.Write(arguments.GetValue(json), result, ResultJson.Default.BenchResult);
            return result.Failures > 0 ? ExitCode.Failure : ExitCode.Success;
        });
        return command;
    }

    private static async Task<BenchResult> Measure(ChatClient client, ClientLoad load, int? pid, CancellationToken cancellation)
    {
        string model = await client.FirstModel(cancellation);
        double tokensPerWord = await TokensPerWord(client, model, cancellation);
        int words = Math.Max(1, (int)(load.PromptTokens / tokensPerWord));
        Channel<int> work = Channel.CreateUnbounded<int>();
        for (int request = 0; request < load.Requests; request++)
        {
            work.Writer.TryWrite(request);
        }
        work.Writer.Complete();
        long start = TimeProvider.System.GetTimestamp();
        StreamTimes[][] byClient = await Task.WhenAll(Enumerable.Range(0, load.Clients).Select(_ => Client()));
        TimeSpan elapsed = TimeProvider.System.GetElapsedTime(start);
        StreamTimes[] good = [.. byClient.SelectMany(times => times).Where(times => times.Failure is null)];
        ReportFailures(byClient);
        ServerFigures figures = ServerFigures.Read(await client.Metrics(cancellation), pid);
        return new BenchResult
        {
            Command = string.Create(CultureInfo.InvariantCulture,
                $"concertina bench serve --clients {load.Clients} --prompt-tokens {load.PromptTokens} --max-tokens {load.MaxTokens} --requests {load.Requests}"),
            Model = model,
            TokensPerSecond = Math.Round(good.Sum(times => times.GeneratedTokens) / elapsed.TotalSeconds, 2),
            TtftMs = Percentiles.Of(good.Where(times => times.AtMs.Count > 0).Select(times => times.AtMs[0])),
            ItlMs = Percentiles.Of(good.SelectMany(times => times.GapsMs)),
            ResidentBytes = figures.ResidentBytes,
            KvBytes = figures.KvBytes,
            WeightBytes = figures.WeightBytes,
            Requests = good.Length,
            Failures = load.Requests - good.Length,
            PromptTokens = good.Length == 0 ? null : Math.Round(good.Average(times => times.PromptTokens), 1),
        };

        async Task<StreamTimes[]> Client()
        {
            List<StreamTimes> times = [];
            await foreach (int request in work.Reader.ReadAllAsync(cancellation))
            {
                times.Add(await client.Stream(Body(model, Words(words, seed: request), load.MaxTokens), cancellation));
            }
            return [.. times];
        }
    }

    // Every prompt is its own: no request profits from the prefix of another.
    private static string Words(int count, int seed)
    {
        string[] words = ["river", "stone", "garden", "letter", "window", "morning", "paper", "bridge", "winter", "story", "table", "music"];
        Random random = new(seed);
        return string.Join(' ', Enumerable.Range(0, count).Select(_ => words[random.Next(words.Length)]));
    }

    private static async Task<double> TokensPerWord(ChatClient client, string model, CancellationToken cancellation)
    {
        const int few = 20;
        const int many = 220;
        (_, int fewTokens, _) = await client.Ask(Body(model, Words(few, seed: -1), maxTokens: 1), cancellation);
        (_, int manyTokens, _) = await client.Ask(Body(model, Words(many, seed: -1), maxTokens: 1), cancellation);
        return Math.Max(0.1, (manyTokens - fewTokens) / (double)(many - few));
    }

    private static JsonObject Body(string model, string text, int maxTokens) => new()
    {
        ["model"] = model,
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }),
        ["max_tokens"] = maxTokens,
        ["temperature"] = 0,
        ["ignore_eos"] = true,
    };

    private static void ReportFailures(StreamTimes[][] byClient)
    {
        foreach (IGrouping<string, StreamTimes> group in byClient.SelectMany(times => times).Where(times => times.Failure is not null).GroupBy(times => times.Failure!))
        {
            Screen.Error($"{group.Count()} requests failed: {group.Key}");
        }
    }

    private readonly record struct ClientLoad(int Clients, int PromptTokens, int MaxTokens, int Requests);
}
