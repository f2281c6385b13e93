using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Concertina.Cli.Benches.Load;

/// <summary>A server of its own for one run, as another process of this program, on a free port and with a store that is removed.</summary>
internal sealed class LoadServer : IAsyncDisposable
{
    private static readonly TimeSpan StartWithin = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    private readonly Process _process;
    private readonly string _folder;
    private readonly List<string> _lastLines = [];

    private LoadServer(Process process, string folder, Uri url) => (_process, _folder, Url) = (process, folder, url);

    /// <summary>Where it listens.</summary>
    public Uri Url { get; }

    /// <summary>Its process.</summary>
    public int Pid => _process.Id;

    /// <summary>Starts one and waits until it is ready.</summary>
    /// <param name="model">Model; null: the demo model.</param>
    /// <param name="budgetBytes">KV budget.</param>
    /// <param name="policy">Its settings.</param>
    /// <param name="cancellation">Stops the wait.</param>
    /// <exception cref="CliException">It ended, or was not ready in time.</exception>
    public static async Task<LoadServer> Start(string? model, long budgetBytes, LoadPolicy policy, CancellationToken cancellation)
    {
        string folder = Directory.CreateTempSubdirectory("concertina-load-").FullName;
        JsonObject settings = policy.Settings.DeepClone().AsObject();
        settings["Store"] ??= new JsonObject();
        settings["Store"]!["Directory"] = Path.Combine(folder, "store");
        string config = Path.Combine(folder, "config.json");
        await File.WriteAllTextAsync(config, settings.ToJsonString(), cancellation);
        var url = new Uri($"http://127.0.0.1:{FreePort()}");
        ProcessStartInfo start = new(Environment.ProcessPath!)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        string[] arguments =
        [
            "serve", "--listen", url.GetLeftPart(UriPartial.Authority), "--kv-budget", budgetBytes.ToString(CultureInfo.InvariantCulture), "--config", config,
            .. model is null ? Array.Empty<string>() : ["--model", model],
        ];
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]); // run as "dotnet concertina.dll"
        }
        Array.ForEach(arguments, start.ArgumentList.Add);
        Process process = Process.Start(start) ?? throw new CliException(ExitCode.Failure, "The server could not be started.");
        var server = new LoadServer(process, folder, url);
        process.ErrorDataReceived += server.Keep;
        process.OutputDataReceived += server.Keep;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        try
        {
            await server.Ready(cancellation);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends it and removes what it stored.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task Ready(CancellationToken cancellation)
    {
        using HttpClient http = new() { BaseAddress = Url };
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < StartWithin; await Task.Delay(LookEvery, cancellation))
        {
            if (_process.HasExited)
            {
                throw new CliException(ExitCode.Failure, $"The server ended with {_process.ExitCode}:\n{Said()}");
            }
            try
            {
                using HttpResponseMessage response = await http.GetAsync("/v1/models", cancellation);
                if (response.IsSuccessStatusCode && (await response.Content.ReadAsStringAsync(cancellation)).Contains("\"id\"", StringComparison.Ordinal))
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }
        }
        throw new CliException(ExitCode.Failure, $"The server was not ready within {StartWithin.TotalSeconds:F0} s:\n{Said()}");
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        const int most = 20;
        lock (_lastLines)
        {
            _lastLines.Add(line.Data ?? "");
            if (_lastLines.Count > most)
            {
                _lastLines.RemoveAt(0);
            }
        }
    }

    private string Said()
    {
        lock (_lastLines)
        {
            return string.Join('\n', _lastLines);
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
