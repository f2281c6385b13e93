using System.Diagnostics;
using System.Text.Json;

namespace Concertina.System.Tests;

/// <summary>A small scenario under each policy, by the command as a user types it: a real server, real conversations.</summary>
public sealed class LoadTests : IDisposable
{
    private const string Scenario = """
        {
          "name": "small", "demand": 0.4, "sessions": 3, "contextTokens": 1024, "turns": 2, "thinkSeconds": 0.2,
          "arrivals": { "kind": "burst", "size": 3 }, "limits": { "ttftMs": 60000, "itlMs": 60000 }
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("concertina-scenario-").FullName;

    [Theory]
    [InlineData("elastic")]
    [InlineData("recompute")]
    [InlineData("refuse")]
    public async Task Every_conversation_of_a_scenario_is_held_and_told(string policy)
    {
        string scenario = Path.Combine(_folder, "small.json");
        await File.WriteAllTextAsync(scenario, Scenario, TestContext.Current.CancellationToken);
        string json = Path.Combine(_folder, "result.json");
        string svg = Path.Combine(_folder, "result.svg");

        (int exitCode, string output) = await Run("bench", "serve", "--scenario", scenario, "--policy", policy, "--json", json, "--svg", svg);

        Assert.True(exitCode == 0, output);
        JsonElement result = JsonDocument.Parse(await File.ReadAllTextAsync(json, TestContext.Current.CancellationToken)).RootElement;
        Assert.Equal(6, result.GetProperty("turns").GetArrayLength());
        Assert.Equal(6, result.GetProperty("completed").GetInt32());
        Assert.Equal((0, 0), (result.GetProperty("failed").GetInt32(), result.GetProperty("refused").GetInt32()));
        Assert.InRange(result.GetProperty("recall").GetDouble(), 0.5, 1);
        Assert.True(result.GetProperty("prefilledTokens").GetInt64() > 3 * 900);
        // Every second turn found its document computed.
        Assert.Equal(3, result.GetProperty("turns").EnumerateArray().Count(turn => turn.GetProperty("cachedTokens").GetInt32() > 900));
        Assert.NotEqual(0, result.GetProperty("samples").GetArrayLength());
        Assert.StartsWith("<svg", await File.ReadAllTextAsync(svg, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task<(int ExitCode, string Output)> Run(params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = ServerProcess.Root };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "concertina.dll"));
        Array.ForEach(arguments, start.ArgumentList.Add);
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output + await errors);
    }
}
