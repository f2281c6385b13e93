using System.Diagnostics.Metrics;
using Concertina.Silo.Models;
using Microsoft.Extensions.DependencyInjection;

namespace Concertina.Grains.Tests.Silo;

public sealed class ModelMetersTests
{
    [Fact]
    public void A_meter_of_the_hosts_own_factory_carries_the_model()
    {
        using ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using ModelMeters meters = new(services.GetRequiredService<IMeterFactory>(), "demo");

        Meter meter = meters.Create("Concertina.Test");

        Assert.Contains(new KeyValuePair<string, object?>("model", "demo"), meter.Tags!);
    }
}
