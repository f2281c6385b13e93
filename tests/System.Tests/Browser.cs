using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Concertina.System.Tests;

/// <summary>One page in headless Chromium, driven by the DevTools protocol.</summary>
internal sealed partial class Browser : IAsyncDisposable
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly string _profile;
    private readonly ClientWebSocket _socket = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonElement>> _asked = new();
    private readonly ConcurrentQueue<string> _complaints = new();
    private Task _reading = Task.CompletedTask;
    private int _last;

    private Browser(Process process, string profile) => (_process, _profile) = (process, profile);

    /// <summary>What the page complained of: failed loads, broken content policy, exceptions.</summary>
    public IReadOnlyCollection<string> Complaints => _complaints;

    /// <summary>Opens a window of a size; skips the test when there is no Chromium.</summary>
    public static async Task<Browser> Open(int width, int height)
    {
        string profile = Directory.CreateTempSubdirectory("browser-").FullName;
        Process? process = Names.Select(name => TryStart(name, profile)).FirstOrDefault(started => started is not null);
        Assert.SkipWhen(process is null, $"No {string.Join(", ", Names)} on the path.");
        Browser browser = new(process, profile);
        try
        {
            await browser.Connect(width, height);
            return browser;
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
    }

    public async Task Visit(Uri address) => await Send("Page.navigate", new JsonObject { ["url"] = address.ToString() });

    public async Task Resize(int width, int height) => await Send("Emulation.setDeviceMetricsOverride", new JsonObject
    {
        ["width"] = width,
        ["height"] = height,
        ["deviceScaleFactor"] = 1,
        ["mobile"] = false,
    });

    /// <summary>The value of a script's expression, as text.</summary>
    public async Task<string> Value(string expression)
    {
        JsonElement answer = await Send("Runtime.evaluate", new JsonObject
        {
            ["expression"] = expression,
            ["returnByValue"] = true,
            ["awaitPromise"] = true,
        });
        Assert.False(answer.TryGetProperty("exceptionDetails", out JsonElement problem), $"{expression}: {problem}");
        return answer.GetProperty("result").TryGetProperty("value", out JsonElement value) ? value.ToString() : "";
    }

    /// <summary>Asks until an expression is true; fails with what the page shows when it never is.</summary>
    public async Task Until(string expression)
    {
        using CancellationTokenSource guard = new(Guard);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (await Value($"Boolean({expression})") != "True")
        {
            try
            {
                await timer.WaitForNextTickAsync(guard.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"Not within {Guard}: {expression}. The page shows:\n{await Value("document.body.innerText")}\n{string.Join('\n', Complaints)}");
            }
        }
    }

    /// <summary>A picture of the window, PNG.</summary>
    public async Task<byte[]> Picture() =>
        (await Send("Page.captureScreenshot", new JsonObject { ["format"] = "png" })).GetProperty("data").GetBytesFromBase64();

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _socket.Dispose();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_profile, recursive: true);
    }

    private static Process? TryStart(string program, string profile)
    {
        ProcessStartInfo start = new(program) { RedirectStandardError = true };
        foreach (string argument in (string[])["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", $"--user-data-dir={profile}", "about:blank"])
        {
            start.ArgumentList.Add(argument);
        }
        try
        {
            return Process.Start(start);
        }
        catch (Win32Exception)
        {
            return null; // not installed under this name
        }
    }

    private async Task Connect(int width, int height)
    {
        TaskCompletionSource<string> listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _process.ErrorDataReceived += (_, line) =>
        {
            if (Listening().Match(line.Data ?? "") is { Success: true } found)
            {
                listening.TrySetResult(found.Groups["port"].Value);
            }
        };
        _process.BeginErrorReadLine();
        string port = await listening.Task.WaitAsync(Guard);
        using HttpClient client = new();
        using HttpResponseMessage opened = await client.PutAsync(new Uri($"http://127.0.0.1:{port}/json/new?about:blank"), null);
        JsonElement page = await opened.Content.ReadFromJsonAsync<JsonElement>();
        await _socket.ConnectAsync(new Uri(page.GetProperty("webSocketDebuggerUrl").GetString()!), CancellationToken.None);
        _reading = Task.Run(Read);
        foreach (string domain in (string[])["Log", "Runtime", "Page"])
        {
            await Send($"{domain}.enable", []);
        }
        await Resize(width, height);
    }

    private async Task<JsonElement> Send(string method, JsonObject parameters)
    {
        int id = Interlocked.Increment(ref _last);
        TaskCompletionSource<JsonElement> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked[id] = answer;
        byte[] message = JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters });
        await _socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        return await answer.Task.WaitAsync(Guard);
    }

    private async Task Read()
    {
        byte[] buffer = new byte[64 << 10];
        while (_socket.State == WebSocketState.Open)
        {
            using MemoryStream message = new();
            WebSocketReceiveResult part;
            do
            {
                part = await _socket.ReceiveAsync(buffer, CancellationToken.None);
                message.Write(buffer, 0, part.Count);
            }
            while (!part.EndOfMessage);
            Take(JsonDocument.Parse(message.ToArray()).RootElement);
        }
    }

    private void Take(JsonElement message)
    {
        if (message.TryGetProperty("id", out JsonElement id))
        {
            _asked[id.GetInt32()].TrySetResult(message.TryGetProperty("result", out JsonElement result) ? result : message);
            return;
        }
        string method = message.GetProperty("method").GetString()!;
        JsonElement facts = message.GetProperty("params");
        bool isError = method == "Runtime.exceptionThrown"
            || (method == "Log.entryAdded" && facts.GetProperty("entry").GetProperty("level").GetString() == "error");
        if (isError)
        {
            _complaints.Enqueue(facts.ToString());
        }
    }

    [GeneratedRegex(@"DevTools listening on ws://127\.0\.0\.1:(?<port>\d+)")]
    private static partial Regex Listening();
}
