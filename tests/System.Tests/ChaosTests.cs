using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Concertina.System.Tests;

/// <summary>64 concurrent streams on a budget of 6,000 tokens, with disconnects at any point, late readers and prompts that never fit.</summary>
public sealed class ChaosTests : IAsyncLifetime
{
    private const int Clients = 64;
    private const int Seed = 20_261;
    private static readonly TimeSpan Guard = TimeSpan.FromMinutes(3);
    private ServerProcess _server = null!;

    public async ValueTask InitializeAsync() => _server = await ServerProcess.Start("--kv-budget", "24MiB");

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Every_stream_ends_properly_and_only_warm_prefix_columns_stay()
    {
        // Given the answer each question gets when it is asked alone
        RecallDocument[] documents = [.. RecallSet.Read(1024).Take(4)];
        Dictionary<(int, int), string> alone = [];
        foreach ((int document, int question) in Enumerable.Range(0, Clients).Select(Pick).Distinct())
        {
            StreamedAnswer answer = await Chat.Stream(_server.Client, Ask(documents, document, question));
            Assert.Equal("stop", answer.Finish);
            alone[(document, question)] = answer.Text;
        }

        // When 64 clients come at once, each behaving in its own way
        using CancellationTokenSource guard = new(Guard);
        TaskCompletionSource othersDone = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<string?>[] all = [.. Enumerable.Range(0, Clients).Select(client => Behave(client, documents, alone, othersDone.Task, guard.Token))];
        await Task.WhenAll(all.Where((_, client) => !ReadsLate(client)));
        othersDone.SetResult();
        string[] failures = [.. (await Task.WhenAll(all)).OfType<string>()];

        // Then all of them saw what they should, and the arena holds prefix columns only
        Assert.True(failures.Length == 0, string.Join('\n', failures));
        await Metrics.Until(_server.Client, "no request runs or waits", m =>
            m["vllm:num_requests_running"] == 0 && m["vllm:num_requests_waiting"] == 0 && m["kv_cache_memory_committed_bytes"] == 0);
        await Metrics.Until(_server.Client, "prefix columns are referred to by nobody", m =>
            m["kv_cache_prefix_memory_bytes"] == m["kv_cache_prefix_unreferenced_memory_bytes"]);
        Dictionary<string, double> metrics = await Metrics.Read(_server.Client);
        Assert.True(metrics["kv_cache_memory_usage_bytes"] <= 24 << 20);
    }

    /// <summary>Kinds come in turn, so that each occurs at least ten times.</summary>
    private static int Kind(int client) => client % 6;

    /// <summary>These readers open their stream and read nothing until everybody else has gone.</summary>
    private static bool ReadsLate(int client) => Kind(client) == 3;

    private static (int Document, int Question) Pick(int client) => (client % 4, client / 4 % 3);

    private static JsonObject Ask(RecallDocument[] documents, int document, int question) =>
        Chat.Body(40, documents[document].Ask(documents[document].Questions[question]));

    private async Task<string?> Behave(
        int client, RecallDocument[] documents, Dictionary<(int, int), string> alone, Task othersDone, CancellationToken cancellation)
    {
        (int document, int question) = Pick(client);
        JsonObject body = Ask(documents, document, question);
        Random random = new(Seed + client);
        try
        {
            switch (Kind(client))
            {
                case 0:
                    return await LeaveAfter(body, random.Next(0, 6), cancellation);
                case 1:
                    return await NeverFits(cancellation);
                case 2:
                    return await TooLong(cancellation);
                default:
                    Task read = ReadsLate(client) ? othersDone : Task.CompletedTask;
                    StreamedAnswer answer = await Chat.Stream(_server.Client, body, read, cancellation);
                    return answer is { Status: 200, Finish: "stop", Error: null } && answer.Text == alone[(document, question)]
                        ? null
                        : $"client {client}: {answer} instead of '{alone[(document, question)]}'";
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return $"client {client}: no end within {Guard}";
        }
    }

    /// <summary>Reads a few pieces and closes the connection in the middle of the stream.</summary>
    private async Task<string?> LeaveAfter(JsonObject body, int reads, CancellationToken cancellation)
    {
        body["stream"] = true;
        body["ignore_eos"] = true;
        body["max_tokens"] = 400;
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions") { Content = JsonContent.Create(body) };
        using HttpResponseMessage response = await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        await using Stream stream = await response.Content.ReadAsStreamAsync(cancellation);
        byte[] piece = new byte[7];
        for (int i = 0; i < reads; i++)
        {
            await stream.ReadExactlyAsync(piece, cancellation);
        }
        return (int)response.StatusCode == 200 ? null : $"a stream to leave got {(int)response.StatusCode}";
    }

    private Task<string?> NeverFits(CancellationToken cancellation) =>
        Refused(7_000, 422, "unprocessable", cancellation);

    private Task<string?> TooLong(CancellationToken cancellation) =>
        Refused(9_000, 400, "context_length_exceeded", cancellation);

    private async Task<string?> Refused(int words, int status, string code, CancellationToken cancellation)
    {
        // One digit is one token.
        string digits = string.Concat(Enumerable.Range(0, words).Select(i => (i % 10).ToString(CultureInfo.InvariantCulture)));
        // Lossless, because squeezed to the default floor 7,000 tokens do fit.
        JsonObject body = Chat.Body(8, ("user", digits));
        body["kv"] = new JsonObject { ["policy"] = "lossless" };
        StreamedAnswer answer = await Chat.Stream(_server.Client, body, cancellation: cancellation);
        if (answer.Status != status)
        {
            return $"{words} tokens got {answer.Status} instead of {status}: {answer.Error}";
        }
        string? found = JsonDocument.Parse(answer.Error!).RootElement.GetProperty("error").GetProperty("code").GetString();
        return found == code ? null : $"{words} tokens got code {found} instead of {code}";
    }
}
