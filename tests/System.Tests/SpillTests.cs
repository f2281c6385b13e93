using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Concertina.System.Tests;

/// <summary>Sessions whose units went to disk answer as before: after <c>kill -9</c> in the middle of it, and with damaged files.</summary>
public sealed class SpillTests : IDisposable
{
    private const int Sessions = 6;
    private readonly string _folder = Directory.CreateTempSubdirectory("concertina-spill-").FullName;
    private readonly RecallDocument[] _documents = [.. RecallSet.Read(1024).Take(Sessions)];
    private readonly string[] _answers = new string[Sessions];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(0)] // when the first page file has begun
    [InlineData(2)]
    [InlineData(5)]
    public async Task Kill_9_while_sessions_are_spilled_costs_no_session_and_no_answer(int filesBefore)
    {
        await using (ServerProcess server = await Serve())
        {
            await FirstTurns(server);
            await Until(server, () => PageFiles("*.pages").Length >= filesBefore && PageFiles("*").Length > 0);
            await server.KillHard();
        }
        await using ServerProcess again = await Serve();
        await SecondTurns(again);
    }

    [Fact]
    public async Task Spilled_sessions_are_restored_and_damaged_files_are_told_and_computed_anew()
    {
        await using (ServerProcess server = await Serve())
        {
            await FirstTurns(server);
            await Until(server, () => PageFiles("*.pages").Length == Sessions);
            await server.KillHard();
        }
        Random random = new(1);
        string[] files = PageFiles("*.pages");
        foreach (string file in files.Take(3))
        {
            byte[] bytes = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
            bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            await File.WriteAllBytesAsync(file, bytes, TestContext.Current.CancellationToken);
        }
        await using ServerProcess again = await Serve();
        await SecondTurns(again);

        Dictionary<string, double> metrics = await Metrics.Read(again.Client);
        Assert.Equal(3, metrics["kv_cache_restore_sequences_total"]);
        Assert.Equal(3, metrics["kv_cache_page_file_faults_total"]);
        Assert.Contains("could not be written or used", again.Output, StringComparison.Ordinal);
    }

    private async Task FirstTurns(ServerProcess server)
    {
        for (int session = 0; session < Sessions; session++)
        {
            RecallQuestion question = _documents[session].Questions[0];
            _answers[session] = Chat.Text(await Ask(server, session, _documents[session].Ask(question)));
            Assert.Contains(question.Value, _answers[session], StringComparison.Ordinal);
        }
    }

    private async Task SecondTurns(ServerProcess server)
    {
        for (int session = 0; session < Sessions; session++)
        {
            RecallDocument document = _documents[session];
            (string, string)[] talk = [.. document.Ask(document.Questions[0]), ("assistant", _answers[session]), ("user", document.Questions[1].Text)];
            JsonElement answer = await Ask(server, session, talk);
            Assert.Contains(document.Questions[1].Value, Chat.Text(answer), StringComparison.Ordinal);
        }
    }

    private string[] PageFiles(string pattern) =>
        Directory.Exists(Path.Combine(_folder, "store", "sessions"))
            ? Directory.GetFiles(Path.Combine(_folder, "store", "sessions"), pattern, SearchOption.AllDirectories)
                .Where(file => file.Contains(".pages", StringComparison.Ordinal)).ToArray()
            : [];

    private async Task Until(ServerProcess server, Func<bool> holds)
    {
        using CancellationTokenSource guard = new(TimeSpan.FromSeconds(60));
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(1));
        try
        {
            while (!holds())
            {
                await timer.WaitForNextTickAsync(guard.Token);
            }
        }
        catch (OperationCanceledException)
        {
            Dictionary<string, double> metrics = await Metrics.Read(server.Client);
            IEnumerable<string> figures = metrics.Where(metric => metric.Key.Contains("spill", StringComparison.Ordinal) || metric.Key.Contains("idle", StringComparison.Ordinal))
                .Select(metric => $"{metric.Key} {metric.Value}");
            Assert.Fail($"There are {string.Join(", ", PageFiles("*").Select(Path.GetFileName))} after a minute; {string.Join(", ", figures)}.\n{server.Output}");
        }
    }

    private async Task<ServerProcess> Serve()
    {
        JsonObject settings = new()
        {
            ["Store"] = new JsonObject { ["Directory"] = Path.Combine(_folder, "store") },
            ["Engine"] = new JsonObject { ["SpillIdleSeconds"] = 1 },
        };
        string file = Path.Combine(_folder, "settings.json");
        await File.WriteAllTextAsync(file, settings.ToJsonString());
        return await ServerProcess.Start("--kv-budget", "256MiB", "--config", file);
    }

    private static async Task<JsonElement> Ask(ServerProcess server, int session, (string, string)[] talk)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions") { Content = JsonContent.Create(Chat.Body(40, talk)) };
        request.Headers.Add("x-session-id", $"s{session}");
        using HttpResponseMessage response = await server.Client.SendAsync(request);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }
}
