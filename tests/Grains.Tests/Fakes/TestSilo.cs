using Concertina.Compute.Store;
using Concertina.Contracts.Sessions;
using Concertina.Grains.Sessions;
using Concertina.Grains.Tenants;
using Concertina.Grains.Workers;
using Concertina.Runtime.Hosting;
using Concertina.Runtime.Storage;
using Concertina.Silo.Placement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Grains.Tests.Fakes;

/// <summary>The grains on the in-memory host with a fake engine and a clock the test moves. Durable parts outlive a restart.</summary>
internal sealed class TestSilo : IAsyncDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);
    private readonly TemporaryFolder _folder = new();
    private MemoryStateStore? _states;
    private readonly TenantsOptions _tenants;
    private InProcessGrainHost _host = null!;

    private TestSilo(TenantsOptions tenants) => _tenants = tenants;

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public FakeEngine Engine { get; private set; } = new();

    public LocalWorker Worker { get; private set; } = null!;

    public SessionTokenStore Store { get; private set; } = null!;

    /// <summary>Address of this life of the silo.</summary>
    public Orleans.Runtime.SiloAddress Address => _host.Services.GetRequiredService<Orleans.Runtime.ILocalSiloDetails>().SiloAddress;

    /// <summary>Grains that are in memory now.</summary>
    public int Activations => _host.ActivationCount;

    /// <summary>Where the grains keep their state.</summary>
    public MemoryStateStore States => _states ??= new MemoryStateStore(Time);

    public string Folder => _folder.Path;

    public Orleans.IClusterClient Grains => _host.Client;

    public static async Task<TestSilo> Start(TenantsOptions? tenants = null)
    {
        TestSilo silo = new(tenants ?? new TenantsOptions());
        await silo.Boot();
        return silo;
    }

    /// <summary>One whole turn of the session <c>t/s</c>.</summary>
    public async Task Turn(string requestId, int[] prompt, int[] answer)
    {
        await using Sessions.Stream stream = new(Session(), Sessions.Stream.Request(requestId, prompt));
        Task<FinishFacts> reading = ReadAll(stream);
        FakeGeneration generation = await Submitted();
        generation.Send(answer);
        generation.Complete();
        Assert.Equal(FinishReason.Stop, (await reading.WaitAsync(Guard)).Reason);
        Assert.Equal(answer, stream.Tokens);
    }

    public static async Task<FinishFacts> ReadAll(Sessions.Stream stream)
    {
        await stream.Admission();
        return await stream.Finish();
    }

    public async Task<FakeGeneration> Submitted() => await Engine.NextSubmission().WaitAsync(Guard);

    /// <summary>A new process over what was durable: new engine, new grains.</summary>
    public async Task Restart()
    {
        await _host.DisposeAsync();
        Engine = new FakeEngine();
        await Boot();
    }

    public ISequenceGrain Session(string key = "t/s") => Grains.GetGrain<ISequenceGrain>(key);

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    private async Task Boot()
    {
        Worker = Workers.Serving(Engine);
        Store = new SessionTokenStore(new StoreOptions { Directory = _folder.Path }, Time);
        _host = await InProcessGrainHost.StartAsync(
            host => host.AddGrains(typeof(WorkerPlacement).Assembly)
                .AddState("Default", _ => States)
                .Configure(options => options.SiloName = "local")
                .AddPlacementDirector<WorkerPlacement, WorkerPlacementDirector>()
                .AddPlacementDirector<SequencePlacement, SequencePlacementDirector>(),
            services => services.AddSingleton<TimeProvider>(Time).AddSingleton(Worker).AddSingleton(Store).AddSingleton(Options.Create(_tenants)));
    }
}
