// How long does a call between two grains of one silo take, from the call to the continuation after the answer?
using System.Runtime.InteropServices;
using System.Text.Json;
using Concertina.Bench.Grains;
using Concertina.Runtime.Hosting;

const int WarmUpCalls = 200_000;
const int MeasuredCalls = 500_000;

string? output = args is ["--json", string path, ..] ? path : null;
string? commit = args is [_, _, "--commit", string hash] ? hash : null;
await using InProcessGrainHost host = await InProcessGrainHost.StartAsync(
    grains => grains.AddGrain<CounterGrain>().Configure(options =>
    {
        options.DetectDeadlocks = false;
        options.ResponseTimeout = TimeSpan.FromMinutes(10);
    }));
ICounterGrain caller = host.Client.GetGrain<ICounterGrain>("caller");
await caller.Measure("callee", WarmUpCalls);

long allocatedBefore = GC.GetTotalAllocatedBytes(precise: true);
long[] ticks = await caller.Measure("callee", MeasuredCalls);
long allocated = GC.GetTotalAllocatedBytes(precise: true) - allocatedBefore;

// The array of ticks is the measurement's own.
double bytesPerCall = Math.Round((allocated - (2.0 * MeasuredCalls * sizeof(long))) / MeasuredCalls, 1);
CallTimes times = CallTimes.Of(ticks);
object result = new
{
    command = "dotnet run -c Release --project bench/Grains -- --json bench/results/grain-call.json",
    commit,
    hardware = $"{Environment.ProcessorCount} logical cores, {RuntimeInformation.ProcessArchitecture}, {RuntimeInformation.OSDescription}",
    runtime = RuntimeInformation.FrameworkDescription,
    what = "grain to grain on one silo, one call after the other",
    calls = MeasuredCalls,
    medianMicroseconds = times.MedianMicroseconds,
    p99Microseconds = times.P99Microseconds,
    p999Microseconds = times.P999Microseconds,
    allocatedBytesPerCall = bytesPerCall,
};
string json = JsonSerializer.Serialize(result, JsonSerializerOptions.Web) + Environment.NewLine;
await Console.Out.WriteAsync(json);
if (output is not null)
{
    await File.WriteAllTextAsync(output, json);
}
