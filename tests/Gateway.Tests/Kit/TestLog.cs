using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Concertina.Gateway.Tests.Kit;

/// <summary>Keeps what the gateway logs and shows it with the test.</summary>
internal sealed class TestLog : ILoggerProvider, ILogger
{
    private readonly ITestOutputHelper? _output = TestContext.Current.TestOutputHelper;

    public ConcurrentQueue<(LogLevel Level, int Id, string Text)> Lines { get; } = new();

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        string text = formatter(state, exception);
        Lines.Enqueue((logLevel, eventId.Id, text));
        if (logLevel >= LogLevel.Warning)
        {
            try
            {
                _output?.WriteLine($"{logLevel} {eventId.Id}: {text} {exception}");
            }
            catch (InvalidOperationException)
            {
                // The test is over; the line is kept in Lines.
            }
        }
    }

    public void Dispose()
    {
    }
}
