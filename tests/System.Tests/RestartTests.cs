using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Concertina.System.Tests;

/// <summary>What survives <c>kill -9</c>: configured tenants, the sessions' token files, and reuse on the turns that follow.</summary>
public sealed class RestartTests : IDisposable
{
    private const string Key = "sk-restart-test-key";
    private readonly string _folder = Directory.CreateTempSubdirectory("concertina-restart-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_session_goes_on_after_kill_9()
    {
        RecallDocument document = RecallSet.Read(1024).First();
        RecallQuestion[] questions = [.. document.Questions.Take(3)];
        string firstAnswer = await TurnThenKill(document, questions[0]);

        // The token file is whole: the session is known again before any client resent anything.
        await using ServerProcess server = await Serve();
        (string, string)[] second = [.. document.Ask(questions[0]), ("assistant", firstAnswer), ("user", questions[1].Text)];
        JsonElement answer = await Ask(server, second);
        Assert.Contains(questions[1].Value, Chat.Text(answer), StringComparison.Ordinal);

        (string, string)[] third = [.. second, ("assistant", Chat.Text(answer)), ("user", questions[2].Text)];
        JsonElement next = await Ask(server, third);
        Assert.Contains(questions[2].Value, Chat.Text(next), StringComparison.Ordinal);
        Assert.InRange(Chat.CachedTokens(next), answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32(), int.MaxValue);
    }

    [Fact]
    public async Task A_half_written_token_file_is_detected_and_the_session_goes_on()
    {
        RecallDocument document = RecallSet.Read(1024).First();
        RecallQuestion[] questions = [.. document.Questions.Take(2)];
        string firstAnswer = await TurnThenKill(document, questions[0]);
        string file = Assert.Single(Directory.GetFiles(_folder, "*.tokens", SearchOption.AllDirectories));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
        using (FileStream cut = File.OpenWrite(file))
        {
            cut.SetLength(cut.Length - 3);
        }

        await using ServerProcess server = await Serve();
        JsonElement answer = await Ask(server, [.. document.Ask(questions[0]), ("assistant", firstAnswer), ("user", questions[1].Text)]);

        Assert.Contains(questions[1].Value, Chat.Text(answer), StringComparison.Ordinal);
        Assert.Contains("is not whole", server.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configured_tenants_key_is_needed_before_and_after()
    {
        await using ServerProcess server = await Serve();
        using HttpResponseMessage refused = await server.Client.PostAsJsonAsync("/v1/chat/completions", Chat.Body(4, ("user", "Hi.")));
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.NotEmpty(Chat.Text(await Ask(server, [("user", "Hello.")])));
    }

    private async Task<string> TurnThenKill(RecallDocument document, RecallQuestion question)
    {
        await using ServerProcess server = await Serve();
        JsonElement answer = await Ask(server, document.Ask(question));
        Assert.Contains(question.Value, Chat.Text(answer), StringComparison.Ordinal);
        await server.KillHard();
        return Chat.Text(answer);
    }

    private async Task<ServerProcess> Serve()
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Key)));
        JsonObject settings = new()
        {
            ["Tenants"] = new JsonObject { ["acme"] = new JsonObject { ["KeySha256"] = new JsonArray(hash) } },
            ["Store"] = new JsonObject { ["Directory"] = Path.Combine(_folder, "store") },
        };
        string file = Path.Combine(_folder, "settings.json");
        await File.WriteAllTextAsync(file, settings.ToJsonString());
        return await ServerProcess.Start("--kv-budget", "256MiB", "--config", file);
    }

    private static async Task<JsonElement> Ask(ServerProcess server, (string, string)[] talk)
    {
        JsonObject body = Chat.Body(40, talk);
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions") { Content = JsonContent.Create(body) };
        request.Headers.Authorization = new("Bearer", Key);
        request.Headers.Add("x-session-id", "kept");
        using HttpResponseMessage response = await server.Client.SendAsync(request);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }
}
