using System.Diagnostics;
using Concertina.Contracts.Sessions;
using Concertina.Contracts.Tenants;
using Concertina.Gateway.Tests.Kit;

namespace Concertina.Gateway.Tests;

/// <summary>The official client for Node against the gateway (contract tests 80, 92).</summary>
public sealed class ClientTests
{
    private static readonly string Folder = Path.Combine(Demo.Root, "tests", "clients");

    [Fact]
    public async Task T92_The_official_node_client_chats_streams_aborts_and_sees_typed_errors()
    {
        SkipWithoutNode();
        await using TestGateway gateway = await TestGateway.Start();
        int[] words = Demo.Tokens("The passkey is 48213.");
        gateway.Cluster.Script = Scripts.Emit(run => run.Request.StopTokens.Length == 0
            ? [.. Enumerable.Repeat(words, 500).SelectMany(word => word)]
            : [.. words, Demo.EndOfTurn]);

        (int exitCode, string output) = await RunNode("openai.mjs", new Uri(gateway.Address, "/v1").ToString());

        Assert.True(exitCode == 0, output);
        await gateway.Cluster.Cancelled.Wait("any");
    }

    [Fact]
    public async Task T80_The_official_client_retries_a_full_queue_and_then_succeeds()
    {
        SkipWithoutNode();
        await using TestGateway gateway = await TestGateway.Start();
        Script say = Scripts.Say("Hello.");
        Script refuse = Scripts.Refuse(RefusalReason.QueueFull, retryAfterMs: 5);
        gateway.Cluster.Script = (run, cancellation) => (gateway.Cluster.Requests.Count < 3 ? refuse : say)(run, cancellation);

        (int exitCode, string output) = await RunNode("retry.mjs", new Uri(gateway.Address, "/v1").ToString());

        Assert.True(exitCode == 0, output);
        Assert.Equal(3, gateway.Cluster.Requests.Count);
        Assert.Equal([0, 0], gateway.Cluster.Settled.Take(2).Select((UsageRecord usage) => usage.GeneratedTokens));
    }

    private static void SkipWithoutNode()
    {
        Assert.SkipUnless(Directory.Exists(Path.Combine(Folder, "node_modules", "openai")), $"No packages in {Folder}; run 'npm ci' there.");
        try
        {
            using Process node = Process.Start(new ProcessStartInfo("node", "--version") { RedirectStandardOutput = true })!;
            node.WaitForExit();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("No 'node' on the path.");
        }
    }

    private static async Task<(int ExitCode, string Output)> RunNode(params string[] arguments)
    {
        using Process node = Process.Start(new ProcessStartInfo("node", arguments)
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> output = node.StandardOutput.ReadToEndAsync();
        Task<string> errors = node.StandardError.ReadToEndAsync();
        using CancellationTokenSource guard = new(TimeSpan.FromSeconds(60));
        await node.WaitForExitAsync(guard.Token);
        return (node.ExitCode, await output + await errors);
    }
}
