use streams::{Redis, RedisConfig};
use test_support::{RedisCluster, RedisServer, SentinelSetup};

/// Redis in one of the shapes that people run.
#[derive(Debug)]
pub enum RedisShape {
    /// One server.
    Single(RedisServer),
    /// A master, a replica and three Sentinels.
    Sentinel(SentinelSetup),
    /// Three masters with a replica each.
    Cluster(RedisCluster),
}

impl RedisShape {
    /// One server with an append-only file; `fsync` is `always` or `everysec`.
    pub fn single(fsync: &str) -> Self {
        Self::Single(RedisServer::builder().tcp().append_only(fsync).start())
    }

    /// The settings with which a service finds it.
    pub fn settings(&self) -> Vec<(String, String)> {
        let (name, value) = match self {
            Self::Single(server) => ("REDIS_URL", server.url()),
            Self::Sentinel(setup) => ("REDIS_SENTINELS", setup.addresses()),
            Self::Cluster(cluster) => ("REDIS_CLUSTER_NODES", cluster.addresses().join(",")),
        };
        vec![(name.to_owned(), value)]
    }

    /// The single server.
    pub fn server(&mut self) -> &mut RedisServer {
        match self {
            Self::Single(server) => server,
            Self::Sentinel(_) | Self::Cluster(_) => panic!("this Redis is not a single server"),
        }
    }

    /// A handle as the services have it, to look at queues and dead letters.
    pub fn client(&self, partitions: u16) -> Redis {
        #[derive(clap::Parser)]
        struct Cli {
            #[command(flatten)]
            redis: RedisConfig,
        }
        let mut words = vec!["e2e".to_owned()];
        for (name, value) in self.settings() {
            words.push(format!("--{}", name.to_lowercase().replace('_', "-")));
            words.push(value);
        }
        words.push(format!("--redis-partitions={partitions}"));
        // A harness on a loaded machine has more patience than a service.
        words.push("--redis-timeout-ms=30000".into());
        let cli: Cli = clap::Parser::parse_from(words);
        Redis::new(&cli.redis).expect("valid Redis settings")
    }
}
