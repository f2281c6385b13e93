using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Concertina.System.Tests;

/// <summary>The operator's page in headless Chromium in front of a real server with streams under way.</summary>
public sealed class ConsoleTests : IAsyncLifetime
{
    private const string Operator = "sk-operator";
    private const string Tenant = "sk-alice";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("console-");
    private readonly CancellationTokenSource _done = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _done.CancelAsync();
        _done.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task The_page_shows_memory_and_sessions_while_they_stream_and_chats()
    {
        await using Browser browser = await Browser.Open(1280, 800);
        await using ServerProcess server = await Serve();
        Task[] streams = [.. Enumerable.Range(0, 3).Select(index => Stream(server, index))];

        await browser.Visit(new Uri(server.Address, "/console"));
        await Connect(browser, "sk-wrong");
        await browser.Until("document.getElementById('gate-note').textContent.includes('does not know this key')");
        string[] expected = [.. browser.Complaints];
        await Connect(browser, Operator);
        await browser.Until("document.querySelectorAll('#sessions .running').length >= 3");
        await browser.Until("document.querySelectorAll('#chart path').length > 5 && document.getElementById('t-used').textContent.includes('MiB')");

        // What is said to the page is text, whatever it looks like.
        await browser.Value($$"""
            document.getElementById('tenant-key').value = '{{Tenant}}';
            document.getElementById('message').value = 'The passkey of <b id="evil">Mara</b> is 48213. What is the passkey of Mara?';
            document.getElementById('chat-form').requestSubmit();
            """);
        await browser.Until("document.querySelector('.msg.assistant .facts')?.textContent.includes('ran on')");
        Assert.Contains("<b id=\"evil\">", await browser.Value("document.querySelector('.msg.user').textContent"), StringComparison.Ordinal);
        Assert.Equal("", await browser.Value("document.getElementById('evil')?.tagName ?? ''"));

        // Nothing is cut off at either width, and the page had nothing to complain of but the wrong key.
        foreach (int width in (int[])[1280, 390])
        {
            await browser.Resize(width, 800);
            Assert.Equal("True", await browser.Value("document.documentElement.scrollWidth <= innerWidth"));
        }
        Assert.NotEmpty(await browser.Picture());
        Assert.Equal(expected, browser.Complaints);
        Assert.All(expected, complaint => Assert.Contains("401", complaint, StringComparison.Ordinal));
        await _done.CancelAsync();
        await Task.WhenAll(streams);
    }

    [Fact]
    public async Task The_page_changes_the_budget_and_says_why_it_cannot()
    {
        await using Browser browser = await Browser.Open(1280, 800);
        await using ServerProcess server = await Serve();
        await browser.Visit(new Uri(server.Address, "/console"));
        await Connect(browser, Operator);
        await browser.Until("!document.getElementById('board').hidden");

        await SetBudget(browser, "1GiB");
        await browser.Until("document.getElementById('budget-note').className.includes('bad')");
        string bound = (40L << 20).ToString(CultureInfo.InvariantCulture);
        Assert.Contains(bound, await browser.Value("document.getElementById('budget-note').textContent"), StringComparison.Ordinal);
        await SetBudget(browser, "30MiB");
        await browser.Until("document.getElementById('budget-note').textContent.includes('30.0 MiB')");

        await browser.Until("document.getElementById('t-used-sub').textContent.includes('30.0 MiB')");
    }

    [Fact]
    public async Task Without_an_operators_key_the_page_says_how_to_make_one()
    {
        await using Browser browser = await Browser.Open(800, 600);
        await using ServerProcess server = await ServerProcess.Start("--kv-budget", "40MiB");
        await browser.Visit(new Uri(server.Address, "/console"));

        await Connect(browser, Operator);

        await browser.Until("document.getElementById('gate-note').textContent.includes('concertina key new')");
        Assert.Equal("True", await browser.Value("document.getElementById('board').hidden"));
    }

    private static async Task Connect(Browser browser, string key)
    {
        await browser.Until("document.getElementById('gate-form') && document.readyState === 'complete'");
        await browser.Value($"document.getElementById('key').value = '{key}'; document.getElementById('gate-form').requestSubmit(); 1");
    }

    private static async Task SetBudget(Browser browser, string size) =>
        await browser.Value($"document.getElementById('budget').value = '{size}'; document.getElementById('budget-form').requestSubmit(); 1");

    private static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    private async Task<ServerProcess> Serve()
    {
        string file = Path.Combine(_folder.FullName, "server.json");
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(new JsonObject
        {
            ["Admin"] = new JsonObject { ["KeySha256"] = Hash(Operator) },
            ["Tenants"] = new JsonObject { ["alice"] = new JsonObject { ["KeySha256"] = new JsonArray(Hash(Tenant)) } },
            ["KvCache"] = new JsonObject { ["BudgetBytes"] = "40MiB" },
            ["Store"] = new JsonObject { ["Directory"] = Path.Combine(_folder.FullName, "store") },
        }));
        ServerProcess server = await ServerProcess.Start("--config", file);
        server.Client.DefaultRequestHeaders.Add("authorization", $"Bearer {Tenant}");
        return server;
    }

    // One answer after the other until the test is done; each much longer than the page needs.
    private async Task Stream(ServerProcess server, int index)
    {
        try
        {
            while (!_done.IsCancellationRequested)
            {
                JsonObject body = Chat.Body(2_000, ("user", $"Tell me about the number {index}."));
                body["ignore_eos"] = true;
                body["session_id"] = $"stream-{index}";
                await Chat.Stream(server.Client, body, cancellation: _done.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The test has seen what it wanted.
        }
    }
}
