using System.Globalization;

namespace Concertina.System.Tests;

/// <summary>The server's Prometheus text, summed over labels.</summary>
internal static class Metrics
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(20);

    public static async Task<Dictionary<string, double>> Read(HttpClient client)
    {
        Dictionary<string, double> sums = [];
        foreach (string line in (await client.GetStringAsync("/metrics")).Split('\n'))
        {
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }
            string name = line[..line.IndexOfAny(['{', ' '])];
            double value = double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
            sums[name] = sums.GetValueOrDefault(name) + value;
        }
        return sums;
    }

    /// <summary>Reads until a condition holds; fails with the last reading when it never does.</summary>
    public static async Task Until(HttpClient client, string what, Func<Dictionary<string, double>, bool> holds)
    {
        using CancellationTokenSource guard = new(Guard);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        Dictionary<string, double> metrics;
        while (!holds(metrics = await Read(client)))
        {
            try
            {
                await timer.WaitForNextTickAsync(guard.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"Not within {Guard}: {what}. Last reading:\n{string.Join('\n', metrics.Select(m => $"{m.Key} {m.Value}"))}");
            }
        }
    }
}
