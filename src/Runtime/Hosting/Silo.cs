using System.Net;
using Concertina.Runtime.Activations;
using Concertina.Runtime.Calls;
using Concertina.Runtime.Clustering;
using Concertina.Runtime.Serialization;
using Concertina.Runtime.Waiting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Runtime;

namespace Concertina.Runtime.Hosting;

/// <summary>One silo: finds or makes the activation of each call, and ends all of them when the process stops.</summary>
internal sealed class Silo : IHostedService, ILocalSiloDetails, IDisposable
{
    private readonly ActivationCollector _collector;
    private readonly Placement _placement;
    private volatile SiloStatus _status = SiloStatus.Created;

    public Silo(
        IServiceProvider services, GrainHostBuilder builder, IOptions<GrainHostOptions> options, TimeProvider time, ILogger<Silo> log, RuntimeMetrics metrics)
    {
        Services = services;
        Options = options.Value;
        Time = time;
        Log = log;
        Metrics = metrics;
        Scheduler = builder.Scheduler;
        Classes = new GrainClasses(builder, Options.CollectionAge);
        Serializer = new GrainSerializer([.. builder.Resolvers, .. Classes.Resolvers()], () => new GrainReferenceConverter(this));
        Exceptions = new ExceptionCrossing(Classes.Exceptions().Concat(builder.Exceptions));
        Factory = new GrainFactory(this);
        Deadlines = new DeadlineQueue(time);
        Detector = Options.DetectDeadlocks ? new DeadlockDetector() : null;
        SiloAddress = SiloAddress.New(IPAddress.Loopback, 0, (int)(time.GetUtcNow().ToUnixTimeSeconds() & int.MaxValue));
        Directory = new LocalDirectory(SiloAddress);
        _placement = new Placement(this);
        _collector = new ActivationCollector(this);
    }

    public string Name => Options.SiloName;

    public string ClusterId => Options.ClusterId;

    public string DnsHostName => Dns.GetHostName();

    public SiloAddress SiloAddress { get; }

    public SiloAddress GatewayAddress => SiloAddress;

    internal SiloAddress Address => SiloAddress;

    internal IServiceProvider Services { get; }

    internal GrainHostOptions Options { get; }

    internal TimeProvider Time { get; }

    internal TaskScheduler Scheduler { get; }

    internal ILogger Log { get; }

    internal RuntimeMetrics Metrics { get; }

    internal GrainClasses Classes { get; }

    internal GrainSerializer Serializer { get; }

    internal ExceptionCrossing Exceptions { get; }

    internal GrainFactory Factory { get; }

    internal Catalog Catalog { get; } = new();

    internal IClusterDirectory Directory { get; }

    internal DeadlineQueue Deadlines { get; }

    internal DeadlockDetector? Detector { get; }

    internal SiloStatus Status => _status;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _status = SiloStatus.Active;
        _collector.Start();
        RuntimeLog.SiloStarted(Log, Name, SiloAddress);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_status != SiloStatus.Active)
        {
            return;
        }

        _status = SiloStatus.ShuttingDown;
        _collector.Dispose();
        await _collector.EndAllAsync(cancellationToken);
        _status = SiloStatus.Dead;
        RuntimeLog.SiloStopped(Log, Name, Catalog.Count);
    }

    public void Dispose()
    {
        _collector.Dispose();
        Deadlines.Dispose();
    }

    /// <summary>Sends a new call; its answer says what became of it.</summary>
    internal void Send(GrainCall call, CancellationToken token)
    {
        if (call.Begin(token))
        {
            Send(call);
        }
    }

    /// <summary>Sends a call, new or left over from an activation that ended.</summary>
    internal void Send(GrainCall call)
    {
        if (Catalog.TryGet(call.Target, out Activation? activation) && TryDeliver(activation, call))
        {
            return;
        }

        if (!call.Activates)
        {
            call.Fail(new EnumerationAbortedException($"The activation of {call.Target} ended while it was being enumerated."));
            return;
        }

        _ = PlaceAsync(call);
    }

    /// <summary>Tells an iterator that its consumer wants no more.</summary>
    internal void StopEnumeration(GrainId grainId, Guid id)
    {
        if (Catalog.TryGet(grainId, out Activation? activation))
        {
            activation.Scheduler.Post(() => activation.Enumerations.StopAsync(id));
        }
    }

    private async Task PlaceAsync(GrainCall call)
    {
        try
        {
            if (_status != SiloStatus.Active)
            {
                throw new SiloUnavailableException(
                    $"Silo '{Name}' is {_status}: it makes no new activation for {call.Name}. Start the host first, or retry on another silo.");
            }

            if (!Classes.TryGet(call.Target.Type, out GrainClass? grainClass))
            {
                throw new ArgumentException($"No grain class is named '{call.Target.Type}'. Add its assembly with AddGrains.");
            }

            SiloAddress chosen = await _placement.ChooseAsync(grainClass, call);
            await Directory.RegisterAsync(call.Target, chosen);
            Deliver(grainClass, call);
        }
        catch (Exception exception)
        {
            call.Fail(Exceptions.Cross(exception));
        }
    }

    private void Deliver(GrainClass grainClass, GrainCall call)
    {
        while (true)
        {
            Activation made = new(this, grainClass, call.Target);
            Activation activation = Catalog.GetOrAdd(made);
            bool delivered = TryDeliver(activation, call);
            if (activation == made)
            {
                made.Start();
            }

            if (delivered)
            {
                return;
            }
        }
    }

    private bool TryDeliver(Activation activation, GrainCall call)
    {
        switch (activation.Add(call))
        {
            case Admission.Closed:
                return false;
            case Admission.Full:
                Metrics.Refused(call.Method);
                RuntimeLog.MailboxFull(Log, call.Name, Options.MailboxLimit);
                call.Fail(new LimitExceededException(
                    $"{call.Target} already has {Options.MailboxLimit} requests waiting (GrainHost:MailboxLimit); {call.Method.Name} was refused. Retry later."));
                return true;
            default:
                Detector?.Check(call);
                return true;
        }
    }
}
