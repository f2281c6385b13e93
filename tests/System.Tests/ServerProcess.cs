using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Concertina.System.Tests;

/// <summary>A real <c>concertina serve</c> process on a free loopback port, as a user would run it.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly TaskCompletionSource _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerProcess(Process process, Uri address)
    {
        _process = process;
        Address = address;
        Client = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(4) };
    }

    /// <summary>Root of the checkout.</summary>
    public static string Root { get; } = FindRoot();

    public static string DemoModel { get; } = Path.Combine(Root, "models", "demo", "demo-q8_0.gguf");

    public Uri Address { get; }

    public HttpClient Client { get; }

    public string Output => string.Join('\n', _output);

    /// <summary>Starts a server and waits until it listens and has greeted.</summary>
    public static async Task<ServerProcess> Start(params string[] arguments)
    {
        ServerProcess server = Launch(arguments);
        try
        {
            await server._listening.Task.WaitAsync(Guard);
        }
        catch (TimeoutException)
        {
            string output = server.Output;
            await server.DisposeAsync();
            throw new TimeoutException($"The server did not listen within {Guard}. Its output:\n{output}");
        }
        return server;
    }

    /// <summary>Runs a server that is expected to refuse to start.</summary>
    /// <returns>Exit code and output.</returns>
    public static async Task<(int ExitCode, string Output)> RunToEnd(params string[] arguments)
    {
        await using ServerProcess server = Launch(arguments);
        await server._process.WaitForExitAsync().WaitAsync(Guard);
        server._process.WaitForExit();
        return (server._process.ExitCode, server.Output);
    }

    /// <summary>Kills the process as <c>kill -9</c> does.</summary>
    public async Task KillHard()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!_process.HasExited)
        {
            await KillHard();
        }
        _process.Dispose();
    }

    private static ServerProcess Launch(string[] arguments)
    {
        Uri address = new($"http://127.0.0.1:{FreePort()}");
        ProcessStartInfo start = new("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Root,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "concertina.dll"));
        start.ArgumentList.Add("serve");
        if (!arguments.Contains("--listen"))
        {
            start.ArgumentList.Add("--listen");
            start.ArgumentList.Add(address.ToString().TrimEnd('/'));
        }
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
        Process process = new() { StartInfo = start };
        ServerProcess server = new(process, address);
        process.OutputDataReceived += (_, line) => server.Take(line.Data);
        process.ErrorDataReceived += (_, line) => server.Take(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return server;
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }
        _output.Enqueue(line);
        // The curl line follows the listening line and is the last of the greeting.
        if (line.Contains("/v1/chat/completions", StringComparison.Ordinal))
        {
            _listening.TrySetResult();
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string FindRoot([CallerFilePath] string file = "")
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Concertina.slnx")))
        {
            folder = folder.Parent;
        }
        return folder?.FullName ?? throw new DirectoryNotFoundException($"No Concertina.slnx above {AppContext.BaseDirectory} ({file}).");
    }
}
